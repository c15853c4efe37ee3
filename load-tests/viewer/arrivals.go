package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

// Where the number of a packet stands in its payload: after the VP8 descriptor and the frame header.
const numberAt = 4

// And the time at which the source wrote it.
const stampAt = 8

// The payload type of video in every Router of ours, and the SSRC that mediasoup probes bandwidth with.
const (
	videoType     = 101
	probationSSRC = 1234
)

// When packets came to a socket, as the kernel stamped them: independent of when this process was woken.
type arrivals struct {
	mutex sync.Mutex
	at    map[uint32]time.Duration
}

// Opens a socket and returns its port. Arrivals on it are kept under this name.
func (d *desk) tap(name string) (any, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) {
		failed = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_TIMESTAMPNS, 1)
	}); err != nil {
		return nil, err
	}
	if failed != nil {
		return nil, failed
	}
	a := &arrivals{at: map[uint32]time.Duration{}}
	d.taps.Store(name, a)
	go a.read(conn)
	return conn.LocalAddr().(*net.UDPAddr).Port, nil
}

func (a *arrivals) read(conn *net.UDPConn) {
	packet, control := make([]byte, 2048), make([]byte, 128)
	for {
		n, m, _, _, err := conn.ReadMsgUDP(packet, control)
		if err != nil {
			return
		}
		number, isMedia := numberOf(packet[:n])
		at, isStamped := stampOf(control[:m])
		if !isMedia || !isStamped {
			continue
		}
		a.mutex.Lock()
		if _, known := a.at[number]; !known {
			a.at[number] = at
		}
		a.mutex.Unlock()
	}
}

// RTCP, padding and what is sent again come on the same socket with types of their own, and the SFU adds a header
// extension to what it forwards.
func numberOf(packet []byte) (uint32, bool) {
	if len(packet) < 16 || packet[1]&0x7f != videoType || binary.BigEndian.Uint32(packet[8:]) == probationSSRC {
		return 0, false
	}
	at := 12 + numberAt
	if packet[0]&0x10 != 0 {
		at += 4 + 4*int(binary.BigEndian.Uint16(packet[14:]))
	}
	if len(packet) < at+4 {
		return 0, false
	}
	return binary.BigEndian.Uint32(packet[at:]), true
}

// sentAt is what the source wrote behind the number, ns since the Unix epoch.
func sentAt(packet []byte) (int64, bool) {
	at := 12 + stampAt
	if len(packet) >= 16 && packet[0]&0x10 != 0 {
		at += 4 + 4*int(binary.BigEndian.Uint16(packet[14:]))
	}
	if len(packet) < at+8 {
		return 0, false
	}
	return int64(binary.BigEndian.Uint64(packet[at:])), true
}

func stampOf(control []byte) (time.Duration, bool) {
	messages, err := syscall.ParseSocketControlMessage(control)
	if err != nil {
		return 0, false
	}
	for _, message := range messages {
		if message.Header.Level == syscall.SOL_SOCKET && message.Header.Type == syscall.SCM_TIMESTAMPNS {
			stamp := (*syscall.Timespec)(unsafe.Pointer(&message.Data[0]))
			return time.Duration(stamp.Nano()), true
		}
	}
	return 0, false
}

// How much later, in ns, each packet came to the second tap than to the first. What was counted is forgotten.
func (d *desk) delays(first, second string) (any, error) {
	one, isOne := d.taps.Load(first)
	two, isTwo := d.taps.Load(second)
	if !isOne || !isTwo {
		return nil, fmt.Errorf("no such tap")
	}
	near, far := one.(*arrivals), two.(*arrivals)
	near.mutex.Lock()
	defer near.mutex.Unlock()
	far.mutex.Lock()
	defer far.mutex.Unlock()
	delays := []int64{}
	for number, at := range near.at {
		if later, both := far.at[number]; both {
			delays = append(delays, int64(later-at))
		}
	}
	clear(near.at)
	clear(far.at)
	return delays, nil
}
