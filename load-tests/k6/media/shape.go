package media

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
)

// Shape is what a publisher sends: frames of fixed sizes at fixed times.
type Shape struct {
	// Fps, frames a second; of audio 50.
	Fps int `json:"fps"`
	// FrameBytes of a delta frame, KeyFrameBytes of a key frame.
	FrameBytes    int `json:"frameBytes"`
	KeyFrameBytes int `json:"keyFrameBytes"`
	// KeyEvery so many frames there is a key frame, besides those that are asked for.
	KeyEvery int `json:"keyEvery"`
	// PacketBytes of payload at most.
	PacketBytes int `json:"packetBytes"`
	// Layers of simulcast: each lower one has half the sides, a quarter of the bytes.
	Layers int `json:"layers"`
}

// Camera is 150 packets a second of 1.1 kB: 1.3 Mb/s, with a key frame of 40 packets each 10 s.
var Camera = Shape{Fps: 30, FrameBytes: 5 * 1090, KeyFrameBytes: 40 * 1090, KeyEvery: 300, PacketBytes: 1090, Layers: 1}

// Voice is Opus at 40 kb/s.
var Voice = Shape{Fps: 50, FrameBytes: 120, PacketBytes: 1090, Layers: 1}

func (s Shape) check() error {
	if s.Fps < 1 || s.Fps > 240 || s.FrameBytes < 32 || s.FrameBytes > 1<<20 || s.KeyFrameBytes > 1<<22 ||
		s.PacketBytes < 100 || s.PacketBytes > 1200 || s.Layers < 1 || s.Layers > 3 {
		return fmt.Errorf("MALFORMED: no shape of media: %+v", s)
	}
	return nil
}

// Sizes of VP8's clear beginnings, which stay in front of the ciphertext (docs/e2ee/frames.md).
const (
	clearOfKey   = 10
	clearOfDelta = 1
)

// noise is what sealed bytes look like.
var noise = func() []byte {
	bytes := make([]byte, 1<<22+64)
	rand.Read(bytes)
	return bytes
}()

// sealedFrame looks like a sealed VP8 frame of so many bytes: clear prefix, ciphertext, tag, a header of 3 bytes, [p][h].
func sealedFrame(into []byte, size int, key bool, width, height uint16) []byte {
	prefix := clearOfDelta
	if key {
		prefix = clearOfKey
	}
	size = max(size, prefix+16+5)
	frame := append(into[:0], noise[:size]...)
	if key {
		copy(frame, []byte{0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a})
		binary.LittleEndian.PutUint16(frame[6:], width)
		binary.LittleEndian.PutUint16(frame[8:], height)
	} else {
		frame[0] = 0x11
	}
	frame[size-2], frame[size-1] = byte(prefix), 3
	return frame
}

// descriptor of VP8 (RFC 7741, §4.2) with a picture id of 15 bits.
func descriptor(into []byte, starts bool, picture uint16) []byte {
	first := byte(0x80)
	if starts {
		first = 0x90
	}
	return append(into[:0], first, 0x80, 0x80|byte(picture>>8), byte(picture))
}
