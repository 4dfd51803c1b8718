import com.zaxxer.hikari.{HikariConfig, HikariDataSource}
import io.github.rdsign.Signer
import io.github.rdsign.postgresql.RdsignDataSource
import javax.sql.DataSource
import scalikejdbc._

/** A batch that may run longer than a token is valid: each new connection of its pool logs in with a
  * new token. The endpoint and the user come from libpq's variables, credentials from the AWS SDKs'
  * default chain.
  */
object Batch {

  /** Signs for PGHOST, PGPORT and PGUSER. Create one and keep it: it caches credentials. */
  private def signer: Signer = {
    val builder = Signer.builder().hostname(sys.env("PGHOST")).username(sys.env("PGUSER"))
    sys.env.get("PGPORT").foreach(port => builder.port(port.toLong))
    builder.build()
  }

  /** Verifies the server's certificate and name, with the authorities of RDS or PGSSLROOTCERT. */
  private def source: DataSource = {
    val builder = RdsignDataSource.builder().signer(signer).database(sys.env("PGDATABASE"))
    sys.env.get("PGSSLROOTCERT").foreach(file => builder.property("sslrootcert", file))
    // Dials a tunnel or this machine. The token and the TLS check still use the endpoint.
    sys.env.get("PGHOSTADDR").foreach(host => builder.dial(s"$host:${sys.env("PGPORT")}"))
    builder.build()
  }

  def main(arguments: Array[String]): Unit = {
    val config = new HikariConfig()
    config.setDataSource(source)
    config.setMaximumPoolSize(2)
    val pool = new HikariDataSource(config)
    ConnectionPool.singleton(new DataSourceConnectionPool(pool))
    try {
      println(s"${process(1 to 1000)} rows as ${DB.readOnly(currentUser(_))}")
    } finally {
      pool.close()
    }
  }

  private def currentUser(implicit session: DBSession): String =
    sql"select current_user".map(_.string(1)).single.apply().get

  private def process(numbers: Seq[Int]): Int =
    DB.localTx { implicit session =>
      sql"create temporary table batch (number integer) on commit drop".execute.apply()
      val rows = numbers.map(Seq(_))
      sql"insert into batch values (?)".batch(rows: _*).apply()
      sql"select count(*) from batch".map(_.int(1)).single.apply().get
    }
}
