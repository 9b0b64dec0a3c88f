//go:build tools

// Package versitygw pins the S3 server that backups are measured against: one that is no bottleneck.
package versitygw

import _ "github.com/versity/versitygw/cmd/versitygw"
