// lib/pq below database/sql: parameters and results are text, statements are prepared when asked for.
package main

import (
	"database/sql"
	"errors"
	"fmt"
	"log"
	"reflect"
	"strings"
	"time"

	"github.com/lib/pq"
)

const (
	user   = "user of lib/pq"
	token  = "example-access-token-lib-pq"
	tenant = "events of lib/pq"
	get    = "SELECT vault.get_token('google', $1)"
	// PGHOST, PGPORT and PGDATABASE say where.
	where = "user=app_role sslmode=disable"
)

// What goes wrong, and the SQLSTATE that it must be told with.
var wrong = map[string]string{
	"TV020": "SELECT vault.get_token('no such provider', 'alice')",
	"TV035": "SELECT vault.refresh_token('google', 'nobody')",
	"42501": "SELECT * FROM vault.export_token_set('google', 'alice')",
}

func main() {
	log.SetFlags(0)
	for _, options := range []string{"", " binary_parameters=yes"} {
		db, err := sql.Open("postgres", where+options)
		succeed("a pool", err)
		tokens(db)
		manyTokens(db, []string{user, "nobody", "expired"})
		columns(db, "lib/pq"+options)
		failures(db)
		succeed("the end", db.Close())
	}
	copied()
	events()
}

func tokens(db *sql.DB) {
	store := "SELECT vault.store_token('google', $1, access_token => $2, expires_in => $3)"
	_, err := db.Exec(store, user, token, 3600)
	succeed("store_token", err)
	prepared, err := db.Prepare(get)
	succeed("a prepared statement", err)
	var found sql.NullString
	for turn := 0; turn < 10; turn++ {
		succeed("get_token, prepared", prepared.QueryRow(user).Scan(&found))
		expect("get_token, prepared", found.String, token)
	}
	succeed("get_token of nobody", prepared.QueryRow("nobody").Scan(&found))
	expect("get_token of an unknown subject", found.Valid, false)
}

// The last one's token, of scenario.sql, can't be had.
func manyTokens(db *sql.DB, users []string) {
	many := "SELECT subject, access_token, error_code FROM vault.get_tokens('google', $1)"
	rows, err := db.Query(many, pq.Array(users))
	succeed("get_tokens", err)
	var found []string
	for rows.Next() {
		var subject string
		var token, code sql.NullString
		succeed("a row of get_tokens", rows.Scan(&subject, &token, &code))
		found = append(found, subject, token.String, code.String)
	}
	succeed("get_tokens", rows.Err())
	expect("get_tokens", found, []string{user, token, "", "nobody", "", "", "expired", "", "TV030"})
}

func columns(db *sql.DB, name string) {
	_, err := db.Exec("INSERT INTO webhook VALUES ($1, $2)", name, "whsec_pq")
	succeed("an encrypted column", err)
	var key, envelope string
	row := db.QueryRow("SELECT vault.reveal(signing_key), signing_key FROM webhook WHERE id = $1", name)
	succeed("an encrypted column", row.Scan(&key, &envelope))
	expect("an encrypted column", key, "whsec_pq")
	expect("the column itself is an envelope", strings.HasPrefix(envelope, "tv1."), true)
}

func copied() {
	db, err := sql.Open("postgres", where)
	succeed("a pool", err)
	defer db.Close()
	transaction, err := db.Begin()
	succeed("BEGIN", err)
	rows, err := transaction.Prepare(pq.CopyIn("webhook", "id", "signing_key"))
	succeed("COPY", err)
	for number := 0; number < 100; number++ {
		_, err = rows.Exec(fmt.Sprintf("lib/pq copy %d", number), fmt.Sprintf("whsec_%d", number))
		succeed("a row of COPY", err)
	}
	_, err = rows.Exec()
	succeed("COPY's end", err)
	succeed("COPY's end", rows.Close())
	succeed("COMMIT", transaction.Commit())
	count := "SELECT count(*) FROM webhook WHERE id = 'lib/pq copy ' || substr(vault.reveal(signing_key), 7)"
	var found int
	succeed("a count", db.QueryRow(count).Scan(&found))
	expect("rows of COPY", found, 100)
}

func failures(db *sql.DB) {
	for wanted, statement := range wrong {
		_, err := db.Exec(statement)
		var failure *pq.Error
		if !errors.As(err, &failure) {
			log.Fatalf("FAILED: %s: %v", statement, err)
		}
		expect(statement, string(failure.Code), wanted)
	}
}

func events() {
	listener := pq.NewListener(where, time.Second, time.Minute, nil)
	defer listener.Close()
	succeed("LISTEN", listener.Listen("token_vault"))
	db, err := sql.Open("postgres", where)
	succeed("a pool", err)
	defer db.Close()
	_, err = db.Exec("SELECT vault.create_tenant_key($1)", tenant)
	succeed("create_tenant_key", err)
	select {
	case heard := <-listener.Notify:
		expect("an event of the tenant", strings.Contains(heard.Extra, tenant), true)
	case <-time.After(30 * time.Second):
		log.Fatal("FAILED: no event")
	}
}

func succeed(what string, err error) {
	if err != nil {
		log.Fatalf("FAILED: %s: %v", what, err)
	}
}

func expect(what string, actual, wanted interface{}) {
	if !reflect.DeepEqual(actual, wanted) {
		log.Fatalf("FAILED: %s: got %v, expected %v", what, actual, wanted)
	}
}
