package media

import (
	"encoding/binary"
	"errors"
	"syscall"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// received is what is done with what comes; packets are the callee's until it returns.
type received struct {
	rtp  func(header *rtp.Header, payload []byte, at time.Time)
	rtcp func([]rtcp.Packet)
}

// read opens what comes until the transport is closed. Packets carry the time at which the kernel took them, so that a late
// reader does not look like a slow server.
func (t *Transport) read(to received) {
	stampArrivals(t)
	packet, plain, control := make([]byte, packetMax), make([]byte, packetMax), make([]byte, 64)
	var header rtp.Header
	for {
		n, m, _, _, err := t.conn.ReadMsgUDPAddrPort(packet, control)
		if err != nil {
			// A port that was closed on the other side shows as an error of one read.
			if !t.isClosed() && errors.Is(err, syscall.ECONNREFUSED) {
				continue
			}
			return
		}
		if n < 12 || packet[0]>>6 != 2 {
			continue
		}
		if kind := packet[1] & 0x7f; kind >= 64 && kind <= 95 {
			t.report(packet[:n], to)
			continue
		}
		opened, err := t.in.DecryptRTP(plain[:0], packet[:n], &header)
		if err != nil {
			continue
		}
		if at, comes := t.link.carry(n, stampOf(control[:m])); comes {
			to.rtp(&header, payloadOf(opened, &header), at)
		}
	}
}

// payloadOf is what stands behind the header and in front of the padding. The header's own size will not do: an SFU that takes
// extensions out leaves padding where they were.
func payloadOf(packet []byte, header *rtp.Header) []byte {
	at := 12 + 4*len(header.CSRC)
	if header.Extension {
		at += 4 + 4*int(binary.BigEndian.Uint16(packet[at+2:]))
	}
	payload := packet[at:]
	if header.Padding && len(payload) > 0 {
		payload = payload[:max(0, len(payload)-int(payload[len(payload)-1]))]
	}
	return payload
}

func (t *Transport) report(packet []byte, to received) {
	opened, err := t.in.DecryptRTCP(nil, packet, nil)
	if err != nil || to.rtcp == nil {
		return
	}
	if packets, err := rtcp.Unmarshal(opened); err == nil {
		to.rtcp(packets)
	}
}

func stampArrivals(t *Transport) {
	raw, err := t.conn.SyscallConn()
	if err != nil {
		return
	}
	// Without it packets are stamped when they are read.
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_TIMESTAMPNS, 1)
	})
}

// stampOf reads the one control message that was asked for: length(8), level(4), kind(4), seconds(8), nanoseconds(8).
func stampOf(control []byte) time.Time {
	if len(control) < 32 {
		return time.Now()
	}
	seconds := binary.NativeEndian.Uint64(control[16:])
	nanoseconds := binary.NativeEndian.Uint64(control[24:])
	return time.Unix(int64(seconds), int64(nanoseconds))
}
