package call

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"filippo.io/mldsa"
)

// A device stands by a leaf key for so long: the longest call (docs/e2ee/identities.md).
const statementTTL = 24 * time.Hour

// Device is who speaks: an ML-DSA-65 key and 16 bytes, made for this visit.
type Device struct {
	key *mldsa.PrivateKey
	id  [16]byte
}

// NewDevice makes a guest's.
func NewDevice() (*Device, error) {
	key, err := mldsa.GenerateKey(mldsa.MLDSA65())
	if err != nil {
		return nil, err
	}
	device := &Device{key: key}
	rand.Read(device.id[:])
	return device, nil
}

// Name is what a token may be bound to: SHA-256 of the key, base64url.
func (d *Device) Name() string {
	sum := sha256.Sum256(d.key.PublicKey().Bytes())
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// prove says that this leaf key is the device's, in the token's Room and with this token: `key[1952], statement`.
func (d *Device) prove(token string, leaf [32]byte, now time.Time) ([]byte, error) {
	room, err := roomOf(token)
	if err != nil {
		return nil, err
	}
	statement := statementOf(d.id, room, leaf, tokenBinding(token), now.Add(statementTTL))
	signature, err := d.key.Sign(rand.Reader, statement, &mldsa.Options{Context: "veilcast/1 leaf"})
	if err != nil {
		return nil, err
	}
	return append(append(d.key.PublicKey().Bytes(), statement...), signature...), nil
}

// statementOf is what a guest's device signs.
func statementOf(device [16]byte, room string, leaf, binding [32]byte, until time.Time) []byte {
	statement := append([]byte{1, 1}, device[:]...)
	statement = append(append(statement, byte(len(room))), room...)
	statement = append(append(statement, leaf[:]...), binding[:]...)
	return binary.BigEndian.AppendUint64(statement, uint64(until.UnixMilli()))
}

func tokenBinding(token string) [32]byte {
	return sha256.Sum256([]byte("veilcast/1 token binding" + token))
}

func roomOf(token string) (string, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", errors.New("UNAUTHORIZED: no join token")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "", errors.New("UNAUTHORIZED: no join token")
	}
	var claims struct{ Room string }
	if err := json.Unmarshal(payload, &claims); err != nil || claims.Room == "" || len(claims.Room) > 255 {
		return "", errors.New("UNAUTHORIZED: no join token")
	}
	return claims.Room, nil
}
