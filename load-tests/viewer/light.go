package main

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/stun/v3"
)

// Viewers that open a path as a browser does (ICE, DTLS) and then only read: they owe nothing and decrypt nothing, so that they cost
// less than what they measure. Sequence numbers and timestamps of SRTP are in the clear; that is all they look at.

const (
	lightBuffer  = 4 << 20
	checkAgain   = 100 * time.Millisecond
	consentEvery = 4 * time.Second
)

type lightArgs struct {
	Group, User, Password, IP string
	Port                      int
}

// A group of light viewers of one stream.
type audience struct {
	packets, missing, misplaced atomic.Int64
	mutex                       sync.Mutex
	delays                      []float64
}

func (d *desk) audience(name string) *audience {
	found, _ := d.audiences.LoadOrStore(name, &audience{})
	return found.(*audience)
}

// Connects one; it reads until the process ends.
func (d *desk) light(args lightArgs) error {
	conn, err := net.DialUDP("udp", nil, &net.UDPAddr{IP: net.ParseIP(args.IP), Port: args.Port})
	if err != nil {
		return err
	}
	_ = conn.SetReadBuffer(lightBuffer)
	if err := stamped(conn); err != nil {
		return err
	}
	check, err := nominate(conn, args)
	if err != nil {
		return err
	}
	conn.SetReadDeadline(time.Time{})
	quiet := &handshake{UDPConn: conn}
	session, err := dtls.Client(quiet, conn.RemoteAddr(), &dtls.Config{
		Certificates:           []tls.Certificate{d.own},
		InsecureSkipVerify:     true,
		ExtendedMasterSecret:   dtls.RequireExtendedMasterSecret,
		SRTPProtectionProfiles: []dtls.SRTPProtectionProfile{dtls.SRTP_AEAD_AES_128_GCM},
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := session.HandshakeContext(ctx); err != nil {
		return err
	}
	quiet.end(session)
	go func() {
		for range time.Tick(consentEvery) {
			_, _ = conn.Write(check)
		}
	}()
	go d.watchLight(conn, d.audience(args.Group))
	return nil
}

// nominate checks until the server has answered (RFC 8445, controlling, towards an ICE-lite server), and returns the check.
func nominate(conn *net.UDPConn, args lightArgs) ([]byte, error) {
	message, err := stun.Build(stun.TransactionID, stun.BindingRequest, stun.NewUsername(args.User+":light"),
		stun.RawAttribute{Type: stun.AttrICEControlling, Value: binary.BigEndian.AppendUint64(nil, rand.Uint64())},
		stun.RawAttribute{Type: stun.AttrUseCandidate},
		stun.RawAttribute{Type: stun.AttrPriority, Value: binary.BigEndian.AppendUint32(nil, 1<<30)},
		stun.NewShortTermIntegrity(args.Password), stun.Fingerprint)
	if err != nil {
		return nil, err
	}
	packet := make([]byte, 1500)
	for began := time.Now(); time.Since(began) < patience; {
		if _, err := conn.Write(message.Raw); err != nil {
			return nil, err
		}
		conn.SetReadDeadline(time.Now().Add(checkAgain))
		if n, err := conn.Read(packet); err == nil && n >= 20 && packet[0] == 1 && packet[1] == 1 {
			return message.Raw, nil
		}
	}
	return nil, errors.New("no answer to a connectivity check")
}

// The socket as DTLS sees it: other packets are passed over, and at the end it falls silent instead of saying goodbye.
type handshake struct {
	*net.UDPConn
	over atomic.Bool
}

func (h *handshake) ReadFrom(packet []byte) (int, net.Addr, error) {
	for {
		n, err := h.UDPConn.Read(packet)
		if err != nil || (n > 0 && packet[0] >= 20 && packet[0] <= 63) {
			return n, h.UDPConn.RemoteAddr(), err
		}
	}
}

func (h *handshake) WriteTo(packet []byte, _ net.Addr) (int, error) {
	if h.over.Load() {
		return len(packet), nil
	}
	return h.UDPConn.Write(packet)
}

func (h *handshake) Close() error { return nil }

func (h *handshake) end(session *dtls.Conn) {
	h.over.Store(true)
	h.SetReadDeadline(time.Unix(1, 0)) // wakes its reader
	_ = session.Close()
	h.SetReadDeadline(time.Time{})
}

func stamped(conn *net.UDPConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		failed = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_TIMESTAMPNS, 1)
	})
	return errors.Join(err, failed)
}

// watchLight counts media, and takes the delay of each packet: from when the source wrote it to when the kernel had it for this socket.
func (d *desk) watchLight(conn *net.UDPConn, a *audience) {
	packet, control := make([]byte, 2048), make([]byte, 128)
	follows := map[uint32]*position{}
	for {
		n, m, _, _, err := conn.ReadMsgUDP(packet, control)
		if err != nil {
			return
		}
		// RTCP is told by its types (RFC 5761); probes for bandwidth have an SSRC of their own.
		if n < 12 || packet[0]>>6 != 2 || (packet[1]&0x7f >= 64 && packet[1]&0x7f < 96) {
			continue
		}
		ssrc := binary.BigEndian.Uint32(packet[8:])
		if ssrc == probationSSRC {
			continue
		}
		a.packets.Add(1)
		follow := follows[ssrc]
		if follow == nil {
			follow = &position{}
			follows[ssrc] = follow
		}
		sequence, timestamp := binary.BigEndian.Uint16(packet[2:]), binary.BigEndian.Uint32(packet[4:])
		sentAt, step := follow.take(d.journal.Load(), sequence, timestamp)
		if step > 0 {
			a.missing.Add(int64(step))
		} else if step < 0 {
			a.misplaced.Add(1)
		}
		if at, isStamped := stampOf(control[:m]); isStamped && sentAt > 0 {
			a.mutex.Lock()
			a.delays = append(a.delays, float64(int64(at)-sentAt)/1e6)
			a.mutex.Unlock()
		}
	}
}

// Where in a stream a viewer is. The server numbers anew, so numbers are told apart by the timestamps, which it keeps.
type position struct {
	journal *journal
	offset  uint16
	next    uint16
}

// take returns when the packet was sent, if that is known, and how many are missing before it; below 0: it is not in its place.
func (p *position) take(j *journal, sequence uint16, timestamp uint32) (sentAt int64, step int16) {
	if j == nil {
		return 0, 0
	}
	if p.journal != j {
		first, known := j.first(timestamp)
		if !known {
			return 0, 0
		}
		p.journal, p.offset, p.next = j, first-sequence, sequence
	}
	step = int16(sequence - p.next)
	if step >= 0 {
		p.next = sequence + 1
	}
	return j.at[sequence+p.offset].Load(), step
}

// What the light viewers of a group saw since the last time.
func (a *audience) report() map[string]any {
	a.mutex.Lock()
	delays := a.delays
	a.delays = nil
	a.mutex.Unlock()
	return map[string]any{
		"packets":   a.packets.Swap(0),
		"missing":   a.missing.Swap(0),
		"misplaced": a.misplaced.Swap(0),
		"delays":    quantiles(delays, 0.5, 0.95, 0.99, 1),
	}
}
