package channel

import (
	"crypto/cipher"
	"encoding/binary"
)

const (
	broadcastHeaderBytes = 13
	broadcastKeyBytes    = 4 + keyBytes + ivBytes
)

// broadcast opens what a Room says to all of its sockets at once (docs/adr/0014-broadcast-key.md).
type broadcast struct {
	number uint32
	next   uint64
	iv     [ivBytes]byte
	aead   cipher.AEAD
}

// use takes a newer key; nothing opens under the old one from here on.
func (b *broadcast) use(message []byte) error {
	if len(message) != broadcastKeyBytes {
		return errBroken
	}
	number := binary.BigEndian.Uint32(message)
	if number <= b.number {
		return errBroken
	}
	b.number, b.next = number, 0
	b.aead = gcm(message[4 : 4+keyBytes])
	copy(b.iv[:], message[4+keyBytes:])
	return nil
}

func (b *broadcast) open(record []byte) ([]byte, error) {
	if b.aead == nil || len(record) < broadcastHeaderBytes+tagBytes || binary.BigEndian.Uint32(record[1:]) != b.number {
		return nil, errBroken
	}
	header, sealed := record[:broadcastHeaderBytes], record[broadcastHeaderBytes:]
	n := binary.BigEndian.Uint64(header[5:])
	if n < b.next {
		return nil, errBroken
	}
	nonce := xorNonce(b.iv, header[5:])
	plain, err := b.aead.Open(sealed[:0], nonce[:], sealed, header)
	if err != nil {
		return nil, errBroken
	}
	b.next = n + 1
	return plain, nil
}
