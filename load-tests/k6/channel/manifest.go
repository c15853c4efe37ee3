package channel

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"time"

	"filippo.io/mldsa"
)

// Sizes of ML-DSA-65 (FIPS 204), bytes.
const (
	signaturePublicBytes = 1952
	signatureBytes       = 3309
)

const (
	manifestSignedAt = signaturePublicBytes + signatureBytes
	manifestMin      = manifestSignedAt + kemPublicBytes
	manifestMax      = manifestMin + 2048
	manifestLifeMax  = 7 * 24 * time.Hour
)

// Manifest says who the servers are: their X-Wing key, signed by a root whose hash is pinned.
type Manifest struct {
	kemPublic, signed []byte
}

// PinOf is what a client pins of a root: the SHA-256 of its key, which begins the document.
func PinOf(document []byte) ([]byte, error) {
	if len(document) < manifestMin || len(document) > manifestMax {
		return nil, errors.New("no manifest")
	}
	pin := sha256.Sum256(document[:signaturePublicBytes])
	return pin[:], nil
}

// OpenManifest checks root, signature, and times.
func OpenManifest(document, pin []byte, now time.Time) (*Manifest, error) {
	found, err := PinOf(document)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(found, pin) {
		return nil, errors.New("the manifest's root is not the one that is pinned")
	}
	root, err := mldsa.NewPublicKey(mldsa.MLDSA65(), document[:signaturePublicBytes])
	if err != nil {
		return nil, err
	}
	signed := document[manifestSignedAt:]
	signature := document[signaturePublicBytes:manifestSignedAt]
	if err := mldsa.Verify(root, signed, signature, &mldsa.Options{Context: protocol + " manifest"}); err != nil {
		return nil, errors.New("the manifest's signature is wrong")
	}
	var claims struct {
		V         int
		NotBefore int64
		Expiry    int64
	}
	if err := json.Unmarshal(signed[kemPublicBytes:], &claims); err != nil || claims.V != 1 {
		return nil, errors.New("the manifest's claims cannot be read")
	}
	from, until := time.Unix(claims.NotBefore, 0), time.Unix(claims.Expiry, 0)
	if until.Sub(from) > manifestLifeMax || now.Before(from) || !now.Before(until) {
		return nil, errors.New("the manifest is not valid now")
	}
	return &Manifest{kemPublic: signed[:kemPublicBytes], signed: signed}, nil
}
