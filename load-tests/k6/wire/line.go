// Package wire carries the records of a sealed channel over socket.io: Engine.IO 4 on one WebSocket, one namespace, one event.
package wire

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/gobwas/ws"
)

const (
	// What the server sends is at most one message, its record and a little more.
	frameMax = 1<<20 + 4096
	// A server that says nothing for so long is gone; it pings each 5 s.
	silenceMax = 20 * time.Second
	readBuffer = 2048
	writeMax   = 10 * time.Second
)

// The text packet that announces one binary part of the one event.
const eventPacket = `451-["m",{"_placeholder":true,"num":0}]`

// Line is one socket. Send may be called by several at once, Read by one.
type Line struct {
	conn    net.Conn
	in      *bufio.Reader
	writing sync.Mutex
	out     []byte
}

// Dial opens a socket to an origin such as http://127.0.0.1:7800. `local` is the address to come from; nil: any.
func Dial(ctx context.Context, origin string, local net.IP) (*Line, error) {
	at, err := url.Parse(origin)
	if err != nil {
		return nil, err
	}
	at.Scheme = strings.Replace(at.Scheme, "http", "ws", 1)
	at.Path, at.RawQuery = "/socket.io/", "EIO=4&transport=websocket"
	net := &net.Dialer{LocalAddr: localAddress(local)}
	dialer := ws.Dialer{NetDial: net.DialContext, ReadBufferSize: readBuffer, WriteBufferSize: 1024}
	conn, early, _, err := dialer.Dial(ctx, at.String())
	if err != nil {
		return nil, fmt.Errorf("DISCONNECTED: %w", err)
	}
	in := early
	if in == nil {
		in = bufio.NewReaderSize(conn, readBuffer)
	}
	line := &Line{conn: conn, in: in}
	if err := line.open(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return line, nil
}

func localAddress(local net.IP) net.Addr {
	if local == nil {
		return nil
	}
	return &net.TCPAddr{IP: local}
}

// open goes through Engine.IO's and socket.io's greetings.
func (l *Line) open(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok {
		l.conn.SetReadDeadline(deadline)
	}
	if _, err := l.expect('0'); err != nil {
		return err
	}
	if err := l.write(ws.OpText, []byte("40")); err != nil {
		return err
	}
	packet, err := l.expect('4')
	if err != nil {
		return err
	}
	if len(packet) < 2 || packet[1] != '0' {
		return errors.New("DISCONNECTED: the namespace was refused")
	}
	return nil
}

func (l *Line) expect(kind byte) ([]byte, error) {
	_, packet, err := l.frame(nil)
	if err != nil {
		return nil, err
	}
	if len(packet) == 0 || packet[0] != kind {
		return nil, errors.New("DISCONNECTED: no socket.io")
	}
	return packet, nil
}

// Send sends one record.
func (l *Line) Send(record []byte) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	l.out = appendFrame(l.out[:0], ws.OpText, []byte(eventPacket))
	l.out = appendFrame(l.out, ws.OpBinary, record)
	return l.flush()
}

func (l *Line) write(op ws.OpCode, payload []byte) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	l.out = appendFrame(l.out[:0], op, payload)
	return l.flush()
}

// flush writes what was put together, and lets go of a buffer that one large message has grown.
func (l *Line) flush() error {
	l.conn.SetWriteDeadline(time.Now().Add(writeMax))
	_, err := l.conn.Write(l.out)
	if cap(l.out) > 4096 {
		l.out = nil
	}
	return err
}

func appendFrame(to []byte, op ws.OpCode, payload []byte) []byte {
	mask := ws.NewMask()
	header := ws.Header{Fin: true, OpCode: op, Masked: true, Mask: mask, Length: int64(len(payload))}
	buffer := writer{to}
	// A slice takes whatever it is given.
	_ = ws.WriteHeader(&buffer, header)
	at := len(buffer.bytes)
	to = append(buffer.bytes, payload...)
	ws.Cipher(to[at:], mask, 0)
	return to
}

type writer struct{ bytes []byte }

func (w *writer) Write(bytes []byte) (int, error) {
	w.bytes = append(w.bytes, bytes...)
	return len(bytes), nil
}

// Read hands over each record, with when it was read, until the socket ends or `take` fails. The record is the callee's until it
// returns.
func (l *Line) Read(take func(record []byte, at time.Time) error) error {
	for {
		l.conn.SetReadDeadline(time.Now().Add(silenceMax))
		// Waits without holding a buffer: most sockets say nothing most of the time.
		if _, err := l.in.Peek(1); err != nil {
			return err
		}
		if err := l.one(take); err != nil {
			return err
		}
	}
}

var buffers = sync.Pool{New: func() any { buffer := make([]byte, 4096); return &buffer }}

func (l *Line) one(take func(record []byte, at time.Time) error) error {
	pooled := buffers.Get().(*[]byte)
	defer buffers.Put(pooled)
	at := time.Now()
	op, payload, err := l.frame(*pooled)
	if err != nil {
		return err
	}
	*pooled = payload[:cap(payload)]
	switch {
	case op == ws.OpBinary:
		return take(payload, at)
	case op == ws.OpPing:
		return l.write(ws.OpPong, payload)
	case op == ws.OpClose || strings.HasPrefix(string(payload), "41"):
		return io.EOF
	case string(payload) == "2":
		return l.write(ws.OpText, []byte("3"))
	}
	return nil
}

func (l *Line) frame(buffer []byte) (ws.OpCode, []byte, error) {
	header, err := ws.ReadHeader(l.in)
	if err != nil {
		return 0, nil, err
	}
	if !header.Fin || header.Masked || header.Length > frameMax {
		return 0, nil, errors.New("DISCONNECTED: a frame that socket.io does not send")
	}
	if int64(cap(buffer)) < header.Length {
		buffer = make([]byte, header.Length)
	}
	payload := buffer[:header.Length]
	_, err = io.ReadFull(l.in, payload)
	return header.OpCode, payload, err
}

// Close ends the socket at once.
func (l *Line) Close() error { return l.conn.Close() }
