//go:build tools

// Package kubectl pins the client that set-up builds.
package kubectl

import _ "k8s.io/kubernetes/cmd/kubectl"
