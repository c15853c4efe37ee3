package channel

import (
	"bytes"
	"crypto/ecdh"
	"crypto/mlkem"
	"crypto/rand"
	"crypto/sha3"
	"errors"
)

// Sizes of X-Wing (draft-connolly-cfrg-xwing-kem, §5), bytes.
const (
	kemPublicBytes     = mlkem.EncapsulationKeySize768 + 32
	kemCiphertextBytes = mlkem.CiphertextSize768 + 32
)

// The six characters of the combiner.
var xwingLabel = []byte(`\.//^\`)

// A key pair that is used for one round.
type kemKey struct {
	kem    *mlkem.DecapsulationKey768
	x      *ecdh.PrivateKey
	public []byte
}

// kemKeyFrom expands a seed of 32 bytes.
func kemKeyFrom(seed []byte) (*kemKey, error) {
	expanded := make([]byte, 96)
	shake := sha3.NewSHAKE256()
	shake.Write(seed)
	shake.Read(expanded)
	kem, err := mlkem.NewDecapsulationKey768(expanded[:64])
	if err != nil {
		return nil, err
	}
	x, err := ecdh.X25519().NewPrivateKey(expanded[64:])
	if err != nil {
		return nil, err
	}
	public := append(kem.EncapsulationKey().Bytes(), x.PublicKey().Bytes()...)
	return &kemKey{kem: kem, x: x, public: public}, nil
}

func newKemKey() (*kemKey, error) {
	seed := make([]byte, 32)
	rand.Read(seed)
	return kemKeyFrom(seed)
}

func (k *kemKey) decapsulate(ciphertext []byte) ([]byte, error) {
	if len(ciphertext) != kemCiphertextBytes {
		return nil, errors.New("an X-Wing ciphertext of another length")
	}
	fromKem, err := k.kem.Decapsulate(ciphertext[:mlkem.CiphertextSize768])
	if err != nil {
		return nil, err
	}
	xCipher := ciphertext[mlkem.CiphertextSize768:]
	fromX, err := x25519(k.x, xCipher)
	if err != nil {
		return nil, err
	}
	return combine(fromKem, fromX, xCipher, k.x.PublicKey().Bytes()), nil
}

// encapsulate makes a secret for the holder of this key, and what tells it to them.
func encapsulate(public []byte) (ciphertext, shared []byte, err error) {
	if len(public) != kemPublicBytes {
		return nil, nil, errors.New("an X-Wing key of another length")
	}
	kem, err := mlkem.NewEncapsulationKey768(public[:mlkem.EncapsulationKeySize768])
	if err != nil {
		return nil, nil, err
	}
	x, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	xPublic := public[mlkem.EncapsulationKeySize768:]
	fromX, err := x25519(x, xPublic)
	if err != nil {
		return nil, nil, err
	}
	fromKem, kemCipher := kem.Encapsulate()
	xCipher := x.PublicKey().Bytes()
	return append(kemCipher, xCipher...), combine(fromKem, fromX, xCipher, xPublic), nil
}

// x25519 gives zeros for a point of small order, as the draft has it; crypto/ecdh refuses such a point.
func x25519(secret *ecdh.PrivateKey, point []byte) ([]byte, error) {
	public, err := ecdh.X25519().NewPublicKey(point)
	if err != nil {
		return nil, err
	}
	shared, err := secret.ECDH(public)
	if err != nil {
		return make([]byte, 32), nil
	}
	return shared, nil
}

func combine(kem, x, xCipher, xPublic []byte) []byte {
	sum := sha3.Sum256(bytes.Join([][]byte{kem, x, xCipher, xPublic, xwingLabel}, nil))
	return sum[:]
}
