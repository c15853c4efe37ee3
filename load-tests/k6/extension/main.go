// k6 with Veilcast's protocol in it, as k6/x/veilcast. Built by `./veilcast load`.
package main

import (
	"go.k6.io/k6/v2/cmd"
	"go.k6.io/k6/v2/js/modules"
)

func main() {
	modules.Register("k6/x/veilcast", &module{})
	cmd.Execute()
}
