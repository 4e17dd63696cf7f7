//go:build tools

// Package tools keeps the program's package in go.mod: nothing else imports it.
package tools

import _ "github.com/distribution/distribution/v3/cmd/registry"
