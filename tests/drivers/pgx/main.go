// pgx: it prepares every statement and keeps it, sends and receives in binary, and pipelines batches.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"reflect"
	"strings"
	"time"

	"github.com/jackc/pgconn"
	"github.com/jackc/pgx/v4"
)

const (
	user   = "user of pgx"
	token  = "example-access-token-pgx"
	tenant = "events of pgx"
	get    = "SELECT vault.get_token('google', $1)"
)

// What goes wrong, and the SQLSTATE that it must be told with.
var wrong = map[string]string{
	"TV020": "SELECT vault.get_token('no such provider', 'alice')",
	"TV035": "SELECT vault.refresh_token('google', 'nobody')",
	"42501": "SELECT * FROM vault.export_token_set('google', 'alice')",
}

func main() {
	log.SetFlags(0)
	ctx := context.Background()
	// PGHOST, PGPORT and PGDATABASE say where.
	conn, err := pgx.Connect(ctx, "user=app_role")
	succeed("a connection", err)
	defer conn.Close(ctx)
	tokens(ctx, conn)
	manyTokens(ctx, conn, []string{user, "nobody", "expired"})
	succeed("README's lines", readme(ctx, conn, user, "pgx", "whsec_pgx"))
	columns(ctx, conn)
	copied(ctx, conn)
	pipeline(ctx, conn)
	failures(ctx, conn)
	events(ctx, conn)
}

func tokens(ctx context.Context, conn *pgx.Conn) {
	store := "SELECT vault.store_token('google', $1, access_token => $2, expires_in => $3)"
	_, err := conn.Exec(ctx, store, user, token, 3600)
	succeed("store_token", err)
	response := map[string]interface{}{"access_token": token, "token_type": "Bearer", "expires_in": 3600}
	_, err = conn.Exec(ctx, "SELECT vault.store_token_response('google', $1, $2)", user, response)
	succeed("store_token_response", err)
	for turn := 0; turn < 10; turn++ {
		expect("get_token, prepared", getToken(ctx, conn, user), token)
	}
	var found *string
	succeed("get_token of nobody", conn.QueryRow(ctx, get, "nobody").Scan(&found))
	expect("get_token of an unknown subject", found, (*string)(nil))
	var expires time.Time
	set := "SELECT expires_at FROM vault.get_token_set('google', $1)"
	succeed("get_token_set", conn.QueryRow(ctx, set, user).Scan(&expires))
	expect("the time of expiry lies ahead", expires.After(time.Now()), true)
}

func getToken(ctx context.Context, conn *pgx.Conn, user string) (found string) {
	succeed("get_token", conn.QueryRow(ctx, get, user).Scan(&found))
	return found
}

// The last one's token, of scenario.sql, can't be had.
func manyTokens(ctx context.Context, conn *pgx.Conn, users []string) {
	many := "SELECT subject, access_token, error_code FROM vault.get_tokens('google', $1)"
	rows, err := conn.Query(ctx, many, users)
	succeed("get_tokens", err)
	var found [][]interface{}
	for rows.Next() {
		row, err := rows.Values()
		succeed("a row of get_tokens", err)
		found = append(found, row)
	}
	succeed("get_tokens", rows.Err())
	expect("get_tokens", found, [][]interface{}{{user, token, nil}, {"nobody", nil, nil}, {"expired", nil, "TV030"}})
}

var errAuthorizeAgain = errors.New("the user must authorize again")

func readme(ctx context.Context, conn *pgx.Conn, user, name, signingKey string) error {
	// readme: pgx
	if _, err := conn.Exec(ctx, "INSERT INTO webhook VALUES ($1, $2)", name, signingKey); err != nil {
		return err
	}
	var token *string // nil: this user has not connected an account
	err := conn.QueryRow(ctx, "SELECT vault.get_token('google', $1)", user).Scan(&token)
	var failure *pgconn.PgError
	if errors.As(err, &failure) && failure.Code == "TV031" {
		return errAuthorizeAgain
	}
	// end
	succeed("get_token", err)
	expect("get_token", *token, getToken(ctx, conn, user))
	var key string
	err = conn.QueryRow(ctx, "SELECT vault.reveal(signing_key) FROM webhook WHERE id = $1", name).Scan(&key)
	expect("an encrypted column", key, signingKey)
	return err
}

func columns(ctx context.Context, conn *pgx.Conn) {
	var envelope string
	err := conn.QueryRow(ctx, "SELECT signing_key FROM webhook WHERE id = 'pgx'").Scan(&envelope)
	succeed("the column itself", err)
	if !strings.HasPrefix(envelope, "tv1.") {
		log.Fatalf("FAILED: the column itself: %s", envelope)
	}
	_, err = conn.Exec(ctx, "UPDATE webhook SET signing_key = $1 WHERE id = 'pgx'", envelope)
	expect("an envelope that is written back", sqlstate(err), "TV011")
}

// COPY is binary, in which the column takes plaintext.
func copied(ctx context.Context, conn *pgx.Conn) {
	var rows [][]interface{}
	for number := 0; number < 100; number++ {
		rows = append(rows, []interface{}{fmt.Sprintf("pgx copy %d", number), fmt.Sprintf("whsec_%d", number)})
	}
	_, err := conn.CopyFrom(ctx, pgx.Identifier{"webhook"}, []string{"id", "signing_key"}, pgx.CopyFromRows(rows))
	succeed("COPY", err)
	count := "SELECT count(*) FROM webhook WHERE id = 'pgx copy ' || substr(vault.reveal(signing_key), 7)"
	var found int
	succeed("a count", conn.QueryRow(ctx, count).Scan(&found))
	expect("rows of COPY", found, 100)
}

func pipeline(ctx context.Context, conn *pgx.Conn) {
	batch := &pgx.Batch{}
	for _, user := range []string{user, "nobody", user} {
		batch.Queue(get, user)
	}
	batch.Queue(wrong["TV020"])
	results := conn.SendBatch(ctx, batch)
	for _, wanted := range []interface{}{token, nil, token} {
		var found interface{}
		succeed("get_token in a batch", results.QueryRow().Scan(&found))
		expect("get_token in a batch", found, wanted)
	}
	_, err := results.Exec()
	expect("an error in a batch", sqlstate(err), "TV020")
	expect("the end of such a batch", sqlstate(results.Close()), "TV020")
}

func failures(ctx context.Context, conn *pgx.Conn) {
	for state, statement := range wrong {
		_, err := conn.Exec(ctx, statement)
		expect(statement, sqlstate(err), state)
	}
}

func events(ctx context.Context, conn *pgx.Conn) {
	_, err := conn.Exec(ctx, "LISTEN token_vault")
	succeed("LISTEN", err)
	_, err = conn.Exec(ctx, "SELECT vault.create_tenant_key($1)", tenant)
	succeed("create_tenant_key", err)
	patience, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	heard, err := conn.WaitForNotification(patience)
	succeed("an event", err)
	var event struct{ Event, Tenant string }
	succeed("an event's JSON", json.Unmarshal([]byte(heard.Payload), &event))
	expect("an event", []string{event.Event, event.Tenant}, []string{"key_created", tenant})
}

func sqlstate(err error) string {
	var failure *pgconn.PgError
	if !errors.As(err, &failure) {
		return fmt.Sprint(err)
	}
	return failure.Code
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
