//go:build tools

// Package etcd pins the etcd server that set-up builds.
package etcd

import _ "go.etcd.io/etcd/server/v3"
