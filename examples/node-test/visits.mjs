// Counts visits of pages in PostgreSQL. The caller makes the pool: in production from a Signer of rdsign, and
// in tests from RDS on this machine.

export async function createTables(pool) {
  await pool.query('create table visits (page text primary key, count int not null)')
}

/** Counts a visit. Returns the number of visits of the page so far. */
export async function visit(pool, page) {
  const { rows } = await pool.query(
    `insert into visits values ($1, 1)
     on conflict (page) do update set count = visits.count + 1 returning count`,
    [page]
  )
  return rows[0].count
}
