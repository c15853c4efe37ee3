package channel

import (
	"bytes"
	"crypto/ecdh"
	"crypto/mlkem"
	"crypto/mlkem/mlkemtest"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"
	"time"

	"filippo.io/mldsa"
)

// hexed is hexadecimal in the vectors.
type hexed []byte

func (b *hexed) UnmarshalText(text []byte) (err error) {
	*b, err = hex.DecodeString(string(text))
	return err
}

type shaken struct {
	Draws      struct{ Client []hexed }
	M1, M2, M3 hexed
	Secrets    struct{ C2s, S2c, Root, Hash, PskID, Psk hexed }
}

// The frozen run, as packages/e2ee wrote it down.
type vector struct {
	Seeds     struct{ Device hexed }
	Now       int64
	Manifest  struct{ Document, Pin, KemPublicKey, DevicePublicKey hexed }
	Handshake shaken
	Records   []struct {
		From    string
		At      int64
		Kind    byte
		Content hexed
		Records []hexed
	}
	Fresh struct {
		At                  int64
		Draws               struct{ Client []hexed }
		Offer, Answer, Done []hexed
		PskID, Psk          hexed
	}
	Resumed   shaken
	Broadcast struct {
		Key     hexed
		Records []hexed
	}
}

func frozen(t *testing.T) vector {
	t.Helper()
	text, err := os.ReadFile("../../../packages/e2ee/vectors/channel.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vector
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func (v vector) manifest(t *testing.T) *Manifest {
	t.Helper()
	manifest, err := OpenManifest(v.Manifest.Document, v.Manifest.Pin, time.UnixMilli(v.Now))
	if err != nil {
		t.Fatal(err)
	}
	return manifest
}

// drawn is the randomness of the frozen client: a seed, then ML-KEM's and X25519's of the encapsulation, then the nonce.
func drawn(t *testing.T, manifest *Manifest, client []hexed) draws {
	t.Helper()
	ephemeral, err := kemKeyFrom(client[0])
	must(t, err)
	kem, err := mlkem.NewEncapsulationKey768(manifest.kemPublic[:mlkem.EncapsulationKeySize768])
	must(t, err)
	fromKem, ciphertext, err := mlkemtest.Encapsulate768(kem, client[1][:32])
	must(t, err)
	x, err := ecdh.X25519().NewPrivateKey(client[1][32:])
	must(t, err)
	xPublic := manifest.kemPublic[mlkem.EncapsulationKeySize768:]
	fromX, err := x25519(x, xPublic)
	must(t, err)
	xCipher := x.PublicKey().Bytes()
	return draws{
		ephemeral:  ephemeral,
		ciphertext: append(ciphertext, xCipher...),
		shared:     combine(fromKem, fromX, xCipher, xPublic),
		nonce:      client[2],
	}
}

// shake repeats a frozen handshake as its client, and compares every byte.
func shake(t *testing.T, v vector, run shaken, psk *Psk) secrets {
	t.Helper()
	manifest := v.manifest(t)
	handshake, err := newHandshake(manifest, psk, drawn(t, manifest, run.Draws.Client))
	must(t, err)
	same(t, "m1", handshake.M1(), run.M1)
	schedule, err := handshake.greeted(run.M2)
	must(t, err)
	var proof []byte
	if psk == nil {
		device, err := mldsa.NewPrivateKey(mldsa.MLDSA65(), v.Seeds.Device)
		must(t, err)
		same(t, "device key", device.PublicKey().Bytes(), v.Manifest.DevicePublicKey)
		signature, err := device.SignDeterministic(schedule.hash, &mldsa.Options{Context: "veilcast/1 client"})
		must(t, err)
		proof = append(device.PublicKey().Bytes(), signature...)
	}
	m3, left := answer(schedule, proof)
	same(t, "m3", m3, run.M3)
	same(t, "c2s", left.c2s, run.Secrets.C2s)
	same(t, "s2c", left.s2c, run.Secrets.S2c)
	same(t, "root", left.root, run.Secrets.Root)
	same(t, "hash", left.hash, run.Secrets.Hash)
	same(t, "psk id", left.psk.ID, run.Secrets.PskID)
	same(t, "psk", left.psk.Key, run.Secrets.Psk)
	return left
}

func TestFrozenRun(t *testing.T) {
	v := frozen(t)
	began := time.UnixMilli(v.Now)
	at := func(ms int64) time.Time { return began.Add(time.Duration(ms) * time.Millisecond) }
	c := newChannel(shake(t, v, v.Handshake, nil), began)
	fresh := func() {
		key, err := kemKeyFrom(v.Fresh.Draws.Client[0])
		must(t, err)
		c.offered = key
		sameAll(t, "offer", c.seal(contentFreshOffer, key.public, at(v.Fresh.At)), v.Fresh.Offer)
		var reply [][]byte
		for _, record := range v.Fresh.Answer {
			opened, err := c.Open(record, at(v.Fresh.At))
			must(t, err)
			reply = append(reply, opened.Reply...)
		}
		sameAll(t, "done", reply, v.Fresh.Done)
		same(t, "psk after the round", c.Psk().Key, v.Fresh.Psk)
		same(t, "its name", c.Psk().ID, v.Fresh.PskID)
	}
	for _, said := range v.Records {
		if said.At == v.Fresh.At && c.freshAt.Equal(began) {
			fresh()
		}
		if said.From == "client" {
			sameAll(t, "record", c.Seal(said.Content, at(said.At)), said.Records)
			continue
		}
		for i, record := range said.Records {
			opened, err := c.Open(record, at(said.At))
			must(t, err)
			if said.Kind == contentMessage && i == len(said.Records)-1 {
				same(t, "content", opened.Message, said.Content)
			}
		}
	}
	shake(t, v, v.Resumed, &Psk{ID: v.Fresh.PskID, Key: v.Fresh.Psk})
}

func TestFrozenBroadcasts(t *testing.T) {
	v := frozen(t)
	var b broadcast
	must(t, b.use(v.Broadcast.Key))
	again := bytes.Clone(v.Broadcast.Records[0])
	for i, said := range []string{"to all", "again"} {
		plain, err := b.open(v.Broadcast.Records[i])
		must(t, err)
		same(t, "broadcast", plain, []byte(said))
	}
	if _, err := b.open(again); err == nil {
		t.Error("a broadcast was taken twice")
	}
	if b.use(v.Broadcast.Key) == nil {
		t.Error("a key was taken twice")
	}
}

func TestWhatIsRefused(t *testing.T) {
	v := frozen(t)
	now := time.UnixMilli(v.Now)
	for name, change := range map[string]func(document []byte){
		"another root":    func(document []byte) { document[0] ^= 1 },
		"another key":     func(document []byte) { document[manifestSignedAt] ^= 1 },
		"other claims":    func(document []byte) { document[len(document)-2] ^= 1 },
		"wrong signature": func(document []byte) { document[signaturePublicBytes] ^= 1 },
	} {
		document := bytes.Clone(v.Manifest.Document)
		change(document)
		if _, err := OpenManifest(document, v.Manifest.Pin, now); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if _, err := OpenManifest(v.Manifest.Document, v.Manifest.Pin, now.Add(30*24*time.Hour)); err == nil {
		t.Error("an expired manifest was taken")
	}
	manifest := v.manifest(t)
	for _, at := range []int{0, 1, 2, len(v.Handshake.M2) - 1} {
		m2 := bytes.Clone(v.Handshake.M2)
		m2[at] ^= 1
		handshake, err := newHandshake(manifest, nil, drawn(t, manifest, v.Handshake.Draws.Client))
		must(t, err)
		if _, err := handshake.greeted(m2); err == nil {
			t.Errorf("m2 with byte %d changed was taken", at)
		}
	}
	c := newChannel(shake(t, v, v.Handshake, nil), now)
	if _, err := c.Open(v.Records[3].Records[0], now); err == nil {
		t.Error("a record out of order was taken")
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func same(t *testing.T, what string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Fatalf("%s: %x is not %x", what, got, want)
	}
}

func sameAll(t *testing.T, what string, got [][]byte, want []hexed) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d records are not %d", what, len(got), len(want))
	}
	for i := range got {
		same(t, what, got[i], want[i])
	}
}
