package channel

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha512"
	"errors"
)

const (
	protocol  = "veilcast/1"
	hashBytes = sha512.Size
	keyBytes  = 32
	ivBytes   = 12
	tagBytes  = 16
	pskBytes  = 32
	pskIDSize = 16
)

// secrets are what a handshake, and each fresh round after it, leaves.
type secrets struct {
	c2s, s2c, root, hash []byte
	psk                  Psk
}

// Psk is the pre-shared key of the next connection.
type Psk struct{ ID, Key []byte }

// schedule is the running hash and the chaining key of a handshake (docs/e2ee/channel.md).
type schedule struct{ hash, chain, key []byte }

func newSchedule(signed []byte) *schedule {
	inner := sha512.Sum512(signed)
	hash := hashOf([]byte(protocol), inner[:])
	return &schedule{hash: hash, chain: hash}
}

func hashOf(parts ...[]byte) []byte {
	h := sha512.New()
	for _, part := range parts {
		h.Write(part)
	}
	return h.Sum(nil)
}

func expand(secret []byte, label string, context []byte, length int) []byte {
	// It fails for lengths above 255 hashes alone.
	out, err := hkdf.Expand(sha512.New, secret, protocol+" "+label+string(context), length)
	if err != nil {
		panic(err)
	}
	return out
}

func extract(secret, salt []byte) []byte {
	prk, err := hkdf.Extract(sha512.New, secret, salt)
	if err != nil {
		panic(err)
	}
	return prk
}

func (s *schedule) mixHash(bytes []byte) { s.hash = hashOf(s.hash, bytes) }

func (s *schedule) mixKey(secret []byte, label string) {
	mixed := expand(extract(secret, s.chain), label, nil, hashBytes+keyBytes)
	s.chain, s.key = mixed[:hashBytes], mixed[hashBytes:]
}

func (s *schedule) seal(plain []byte) []byte {
	sealed := gcm(s.key).Seal(nil, make([]byte, ivBytes), plain, s.hash)
	s.mixHash(sealed)
	return sealed
}

func (s *schedule) open(sealed []byte) ([]byte, error) {
	plain, err := gcm(s.key).Open(nil, make([]byte, ivBytes), sealed, s.hash)
	if err != nil {
		return nil, errors.New("a message of the handshake cannot be opened")
	}
	s.mixHash(sealed)
	return plain, nil
}

func (s *schedule) finish() secrets {
	s.mixKey(nil, "traffic")
	return trafficSecrets(s.chain, s.hash)
}

func trafficSecrets(chain, hash []byte) secrets {
	exporter := expand(chain, "exporter", hash, hashBytes)
	return secrets{
		c2s:  expand(chain, "c2s", hash, hashBytes),
		s2c:  expand(chain, "s2c", hash, hashBytes),
		root: expand(chain, "root", hash, hashBytes),
		hash: hash,
		psk: Psk{
			ID:  expand(exporter, "resumption id", nil, pskIDSize),
			Key: expand(exporter, "resumption", nil, pskBytes),
		},
	}
}

// freshSecrets are those after a fresh X-Wing round of these two messages.
func freshSecrets(old secrets, shared, offer, answer []byte) secrets {
	return trafficSecrets(extract(shared, old.root), hashOf(old.hash, offer, answer))
}

// gcm of a key of 32 bytes; no other length comes here.
func gcm(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return aead
}
