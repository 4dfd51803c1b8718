// Logs in with pgx and with lib/pq, by the URL that is its argument, and prints the user each time.
package main

import (
	"database/sql"
	"fmt"
	"log"
	"os"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/lib/pq"
)

func main() {
	log.SetFlags(0)
	for _, driver := range []string{"pgx", "postgres"} {
		database, err := sql.Open(driver, os.Args[1])
		if err != nil {
			log.Fatal(err)
		}
		var user string
		if err := database.QueryRow("select current_user where 1 = $1", 1).Scan(&user); err != nil {
			log.Fatalf("%s: %v", driver, err)
		}
		fmt.Println(user)
		if err := database.Close(); err != nil {
			log.Fatal(err)
		}
	}
}
