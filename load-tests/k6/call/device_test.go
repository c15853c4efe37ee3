package call

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"
	"time"

	"filippo.io/mldsa"
)

// The frozen formats of packages/e2ee: a guest's statement for leaf 32 × 04 in demo with the token "token", device 16 × 03.
func TestFrozenStatement(t *testing.T) {
	text, err := os.ReadFile("../../../packages/e2ee/vectors/identity.json")
	if err != nil {
		t.Fatal(err)
	}
	var frozen struct {
		Formats struct{ TokenBinding, StatementSigned string }
	}
	if err := json.Unmarshal(text, &frozen); err != nil {
		t.Fatal(err)
	}
	binding := tokenBinding("token")
	if got := hex.EncodeToString(binding[:]); got != frozen.Formats.TokenBinding {
		t.Errorf("binding %s is not %s", got, frozen.Formats.TokenBinding)
	}
	device := [16]byte(bytes.Repeat([]byte{3}, 16))
	leaf := [32]byte(bytes.Repeat([]byte{4}, 32))
	signed := statementOf(device, "demo", leaf, binding, time.UnixMilli(1_800_086_400_000))
	if got := hex.EncodeToString(signed); got != frozen.Formats.StatementSigned {
		t.Errorf("statement %s is not %s", got, frozen.Formats.StatementSigned)
	}
}

func TestProofIsSignedByTheDevice(t *testing.T) {
	device, err := NewDevice()
	if err != nil {
		t.Fatal(err)
	}
	token := "e30." + base64.RawURLEncoding.EncodeToString([]byte(`{"room":"demo"}`)) + ".x"
	proof, err := device.prove(token, [32]byte{}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	key, err := mldsa.NewPublicKey(mldsa.MLDSA65(), proof[:1952])
	if err != nil {
		t.Fatal(err)
	}
	statement, signature := proof[1952:len(proof)-3309], proof[len(proof)-3309:]
	if err := mldsa.Verify(key, statement, signature, &mldsa.Options{Context: "veilcast/1 leaf"}); err != nil {
		t.Error(err)
	}
	if _, err := device.prove("no token", [32]byte{}, time.Now()); err == nil {
		t.Error("a proof for no token")
	}
}
