// Package channel is the client's end of veilcast/1 (docs/e2ee/channel.md): handshake, records, broadcasts, fresh rounds.
package channel

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"filippo.io/mldsa"
)

// First byte of everything on the wire.
const (
	kindM1        = 0x10
	kindM2        = 0x11
	kindM3        = 0x12
	kindAlert     = 0x1f
	kindRecord    = 0x20
	kindBroadcast = 0x21
)

const (
	m2Min = 2 + kemCiphertextBytes + tagBytes
	m2Max = m2Min + 512
)

// Handshake is one attempt: Start, then Receive.
type Handshake struct {
	schedule  *schedule
	ephemeral *kemKey
	psk       *Psk
	m1        []byte
}

// draws is the randomness of a handshake, so that the frozen run can be repeated.
type draws struct {
	ephemeral  *kemKey
	ciphertext []byte
	shared     []byte
	nonce      []byte
}

// NewHandshake makes m1. A pre-shared key of the last channel spares both sides the signature.
func NewHandshake(manifest *Manifest, psk *Psk) (*Handshake, error) {
	var d draws
	var err error
	if d.ephemeral, err = newKemKey(); err != nil {
		return nil, err
	}
	if d.ciphertext, d.shared, err = encapsulate(manifest.kemPublic); err != nil {
		return nil, err
	}
	d.nonce = make([]byte, 16)
	rand.Read(d.nonce)
	return newHandshake(manifest, psk, d)
}

func newHandshake(manifest *Manifest, psk *Psk, d draws) (*Handshake, error) {
	s := newSchedule(manifest.signed)
	open := append([]byte{kindM1}, d.ephemeral.public...)
	open = append(open, d.ciphertext...)
	s.mixHash(open)
	s.mixKey(d.shared, "es")
	payload := struct {
		Versions []int  `json:"versions"`
		Suites   []int  `json:"suites"`
		Nonce    string `json:"nonce"`
		Psk      string `json:"psk,omitempty"`
	}{[]int{1}, []int{1}, hex.EncodeToString(d.nonce), ""}
	if psk != nil {
		payload.Psk = hex.EncodeToString(psk.ID)
	}
	text, err := json.Marshal(payload)
	if err != nil {
		return nil, err
	}
	return &Handshake{schedule: s, ephemeral: d.ephemeral, psk: psk, m1: append(open, s.seal(text)...)}, nil
}

// M1 is the first message, to be sent.
func (h *Handshake) M1() []byte { return h.m1 }

// Receive takes m2: the server is the one of the manifest. It gives m3, to be sent, and the channel after it.
func (h *Handshake) Receive(m2 []byte, device *mldsa.PrivateKey) (m3 []byte, opened *Channel, err error) {
	s, err := h.greeted(m2)
	if err != nil {
		return nil, nil, err
	}
	var proof []byte
	if m2[1] == 0 {
		signature, err := device.Sign(rand.Reader, s.hash, &mldsa.Options{Context: protocol + " client"})
		if err != nil {
			return nil, nil, err
		}
		proof = append(device.PublicKey().Bytes(), signature...)
	}
	m3, left := answer(s, proof)
	return m3, newChannel(left, time.Now()), nil
}

// greeted is the schedule after m2.
func (h *Handshake) greeted(m2 []byte) (*schedule, error) {
	if len(m2) > 0 && m2[0] == kindAlert {
		return nil, alertOf(m2)
	}
	if len(m2) < m2Min || len(m2) > m2Max || m2[0] != kindM2 || m2[1] > 1 || (m2[1] == 1 && h.psk == nil) {
		return nil, errors.New("HANDSHAKE_FAILED: not m2")
	}
	s := h.schedule
	clear := m2[:2+kemCiphertextBytes]
	s.mixHash(clear)
	shared, err := h.ephemeral.decapsulate(clear[2:])
	if err != nil {
		return nil, err
	}
	s.mixKey(shared, "ee")
	if m2[1] == 1 {
		s.mixKey(h.psk.Key, "psk")
	}
	plain, err := s.open(m2[len(clear):])
	if err != nil {
		return nil, fmt.Errorf("HANDSHAKE_FAILED: %w", err)
	}
	var chosen struct{ Version, Suite int }
	if err := json.Unmarshal(plain, &chosen); err != nil || chosen.Version != 1 || chosen.Suite != 1 {
		return nil, errors.New("UNSUPPORTED: a choice that was not offered")
	}
	return s, nil
}

func answer(s *schedule, proof []byte) (m3 []byte, left secrets) {
	s.mixHash([]byte{kindM3})
	s.mixKey(nil, "auth")
	m3 = append([]byte{kindM3}, s.seal(proof)...)
	return m3, s.finish()
}

// alertOf reads what a server says before there are keys: nobody vouches for it.
func alertOf(alert []byte) error {
	var said struct{ Code string }
	if json.Unmarshal(alert[1:], &said) != nil || said.Code == "" {
		return errors.New("HANDSHAKE_FAILED: the server refused")
	}
	return fmt.Errorf("%s: the server refused the handshake", said.Code)
}
