package channel

import (
	"crypto/cipher"
	"encoding/binary"
	"encoding/json"
	"errors"
	"time"
)

// First byte of what a record holds.
const (
	contentMessage      = 0
	contentWelcome      = 1
	contentUpdate       = 2
	contentFreshOffer   = 3
	contentFreshAnswer  = 4
	contentFreshDone    = 5
	contentBroadcastKey = 6
)

const (
	headerBytes        = 9
	updateAfter        = 60 * time.Second
	updateAfterRecords = 1 << 20
	freshAfter         = 10 * time.Minute
)

var errBroken = errors.New("SEAL_BROKEN")

// direction is the keys of one way, from one secret to the next.
type direction struct {
	tag    byte
	secret []byte
	iv     [ivBytes]byte
	aead   cipher.AEAD
	seq    uint64
	used   int
	since  time.Time
}

func (d *direction) use(secret []byte) {
	d.secret = secret
	d.aead = gcm(expand(secret, "key", nil, keyBytes))
	copy(d.iv[:], expand(secret, "iv", nil, ivBytes))
	d.used = 0
}

func (d *direction) step() { d.use(expand(d.secret, "update", nil, hashBytes)) }

// nonce and additional data of a record with this header: direction(1) ‖ header.
func (d *direction) bind(header []byte) (nonce [ivBytes]byte, aad [1 + headerBytes]byte) {
	aad[0] = d.tag
	copy(aad[1:], header)
	return xorNonce(d.iv, header[1:]), aad
}

func xorNonce(iv [ivBytes]byte, number []byte) [ivBytes]byte {
	for i, b := range number {
		iv[ivBytes-len(number)+i] ^= b
	}
	return iv
}

// Channel seals and opens after the handshake. Not for use by several at once.
type Channel struct {
	out, in   direction
	secrets   secrets
	freshAt   time.Time
	offered   *kemKey
	broadcast broadcast
	scratch   []byte
	others    []string
}

func newChannel(left secrets, now time.Time) *Channel {
	c := &Channel{secrets: left, freshAt: now}
	c.out, c.in = direction{tag: 0, since: now}, direction{tag: 1}
	c.out.use(left.c2s)
	c.in.use(left.s2c)
	return c
}

// Psk is good for one more connection.
func (c *Channel) Psk() Psk { return c.secrets.psk }

// Others are the origins of the cluster's other signaling processes, as this one said; empty before its first record.
func (c *Channel) Others() []string { return c.others }

// Seal makes the records of one message, to be sent in this order: two where the keys had to step first.
func (c *Channel) Seal(message []byte, now time.Time) [][]byte {
	return c.seal(contentMessage, message, now)
}

func (c *Channel) seal(kind byte, content []byte, now time.Time) (records [][]byte) {
	if c.out.used >= updateAfterRecords || now.Sub(c.out.since) >= updateAfter {
		records = append(records, c.record(contentUpdate, nil))
		c.out.step()
		c.out.since = now
	}
	return append(records, c.record(kind, content))
}

func (c *Channel) record(kind byte, content []byte) []byte {
	header := make([]byte, headerBytes, headerBytes+1+len(content)+tagBytes)
	header[0] = kindRecord
	binary.BigEndian.PutUint64(header[1:], c.out.seq)
	nonce, aad := c.out.bind(header)
	c.out.seq++
	c.out.used++
	c.scratch = append(append(c.scratch[:0], kind), content...)
	return c.out.aead.Seal(header, nonce[:], c.scratch, aad[:])
}

// Opened is what came in one record.
type Opened struct {
	// Message is valid until the record's bytes are used again; nil where the record was the channel's own.
	Message []byte
	// Shared: the Room said it to many at once, and it has no number of its own.
	Shared bool
	// Reply has records to be sent now.
	Reply [][]byte
}

// Open takes the next record, in order, and decrypts it in place.
func (c *Channel) Open(record []byte, now time.Time) (Opened, error) {
	if len(record) > 0 && record[0] == kindBroadcast {
		plain, err := c.broadcast.open(record)
		return Opened{Message: plain, Shared: true}, err
	}
	if len(record) > 0 && record[0] == kindAlert && c.in.seq == 0 {
		return Opened{}, alertOf(record)
	}
	if len(record) < headerBytes+1+tagBytes || record[0] != kindRecord || binary.BigEndian.Uint64(record[1:]) != c.in.seq {
		return Opened{}, errBroken
	}
	nonce, aad := c.in.bind(record[:headerBytes])
	sealed := record[headerBytes:]
	plain, err := c.in.aead.Open(sealed[:0], nonce[:], sealed, aad[:])
	if err != nil {
		return Opened{}, errBroken
	}
	c.in.seq++
	return c.take(plain[0], plain[1:], now)
}

func (c *Channel) take(kind byte, content []byte, now time.Time) (Opened, error) {
	switch kind {
	case contentMessage:
		return Opened{Message: content}, nil
	case contentWelcome:
		var welcome struct{ Others []string }
		if err := json.Unmarshal(content, &welcome); err != nil {
			return Opened{}, errBroken
		}
		c.others = welcome.Others
		return Opened{}, nil
	case contentUpdate:
		c.in.step()
		return Opened{}, nil
	case contentBroadcastKey:
		return Opened{}, c.broadcast.use(content)
	case contentFreshAnswer:
		reply, err := c.takeFresh(content, now)
		return Opened{Reply: reply}, err
	}
	return Opened{}, errBroken
}

// Fresh gives the records of a fresh X-Wing round where one is due.
func (c *Channel) Fresh(now time.Time) ([][]byte, error) {
	if c.offered != nil || now.Sub(c.freshAt) < freshAfter {
		return nil, nil
	}
	key, err := newKemKey()
	if err != nil {
		return nil, err
	}
	c.offered = key
	return c.seal(contentFreshOffer, key.public, now), nil
}

func (c *Channel) takeFresh(answer []byte, now time.Time) ([][]byte, error) {
	offered := c.offered
	c.offered = nil
	if offered == nil || len(answer) != kemCiphertextBytes {
		return nil, errBroken
	}
	shared, err := offered.decapsulate(answer)
	if err != nil {
		return nil, err
	}
	c.secrets = freshSecrets(c.secrets, shared, offered.public, answer)
	c.freshAt = now
	c.in.use(c.secrets.s2c)
	last := c.seal(contentFreshDone, nil, now)
	c.out.use(c.secrets.c2s)
	c.out.since = now
	return last, nil
}
