// Logs in to an RDS database from Go, with pgx and tokens instead of a password, and prints the user.
//
// Reads libpq's variables as ../c-libpq does. Needs librdsign where pkg-config finds it. Every connection of
// the pool gets its own token, because a token expires after at most 15 minutes.
package main

/*
#cgo pkg-config: rdsign
#include <stdlib.h>
#include <rdsign.h>
*/
import "C"

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strconv"
	"unsafe"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Signer signs tokens for one user at one endpoint. Any number of goroutines may share it.
type Signer struct{ signer *C.rdsign_signer }

// NewSigner makes a signer, with credentials from where the AWS CLI looks.
func NewSigner(hostname string, port int, username string) (Signer, error) {
	options := C.rdsign_options_new()
	defer C.rdsign_options_free(options)
	host, user := C.CString(hostname), C.CString(username)
	defer C.free(unsafe.Pointer(host))
	defer C.free(unsafe.Pointer(user))
	C.rdsign_options_set_hostname(options, host)
	C.rdsign_options_set_port(options, C.int64_t(port))
	C.rdsign_options_set_username(options, user)

	var signer *C.rdsign_signer
	var failure *C.rdsign_error
	if C.rdsign_signer_new(options, &signer, &failure) != C.RDSIGN_OK {
		return Signer{}, message(failure)
	}
	return Signer{signer}, nil
}

// Password returns a token that is signed now.
func (s Signer) Password() (string, error) {
	var token *C.rdsign_token
	var failure *C.rdsign_error
	if C.rdsign_signer_token(s.signer, &token, &failure) != C.RDSIGN_OK {
		return "", message(failure)
	}
	defer C.rdsign_token_free(token)
	return C.GoString(C.rdsign_token_value(token)), nil
}

func message(failure *C.rdsign_error) error {
	defer C.rdsign_error_free(failure)
	return errors.New(C.GoString(C.rdsign_error_message(failure)))
}

// newPool returns a pool whose connections log in with tokens to a server that is verified.
func newPool(ctx context.Context, hostname, port, username string) (*pgxpool.Pool, error) {
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, err
	}
	signer, err := NewSigner(hostname, number, username)
	if err != nil {
		return nil, err
	}
	// pgx prefers these settings to variables and to the service that PGSERVICE names.
	config, err := pgxpool.ParseConfig(fmt.Sprintf("host=%s port=%d sslmode=verify-full", hostname, number))
	if err != nil {
		return nil, err
	}
	config.ConnConfig.User = username
	if os.Getenv("PGSSLROOTCERT") == "" {
		authorities := x509.NewCertPool()
		authorities.AppendCertsFromPEM([]byte(C.GoString(C.rdsign_ca_bundle())))
		config.ConnConfig.TLSConfig.RootCAs = authorities
	}
	if address := os.Getenv("PGHOSTADDR"); address != "" {
		config.ConnConfig.LookupFunc = func(context.Context, string) ([]string, error) {
			return []string{address}, nil
		}
	}
	config.BeforeConnect = func(_ context.Context, connection *pgx.ConnConfig) (err error) {
		connection.Password, err = signer.Password()
		return err
	}
	return pgxpool.NewWithConfig(ctx, config)
}

func run(ctx context.Context) error {
	port := cmp.Or(os.Getenv("PGPORT"), "5432")
	pool, err := newPool(ctx, os.Getenv("PGHOST"), port, os.Getenv("PGUSER"))
	if err != nil {
		return err
	}
	defer pool.Close()
	var user string
	if err := pool.QueryRow(ctx, "select current_user").Scan(&user); err != nil {
		return err
	}
	fmt.Println(user)
	return nil
}

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
