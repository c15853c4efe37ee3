// Package media is a light end of WebRTC: ICE towards a lite server, DTLS for the keys, SRTP, and what RTCP a viewer or a publisher
// owes. It decodes nothing. Far cheaper than a browser, so that the server is what is measured.
package media

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"

	"veilcast/load-tests/k6/call"
)

const (
	handshakeMax  = 10 * time.Second
	receiveBuffer = 1 << 20
	packetMax     = 1500
)

// Transport is one path to a Router, open for media.
type Transport struct {
	conn    *net.UDPConn
	ice     ice
	in, out *srtp.Context
	writing sync.Mutex
	scratch []byte
	// What media that comes in has to pass.
	link   Link
	closed chan struct{}
	once   sync.Once
}

// Connect makes a path: tells the server our certificate, checks, shakes hands.
func Connect(ctx context.Context, c *call.Call, options call.TransportOptions, local net.IP) (*Transport, error) {
	own, err := certificate()
	if err != nil {
		return nil, err
	}
	remote, err := candidateOf(options)
	if err != nil {
		return nil, err
	}
	conn, err := net.DialUDP("udp", udpAddress(local), remote)
	if err != nil {
		return nil, err
	}
	t := &Transport{conn: conn, ice: newIce(options), closed: make(chan struct{})}
	if err := t.open(ctx, c, options, fingerprintOf(own.Certificate[0])); err != nil {
		conn.Close()
		return nil, err
	}
	return t, nil
}

func udpAddress(local net.IP) *net.UDPAddr {
	if local == nil {
		return nil
	}
	return &net.UDPAddr{IP: local}
}

func port(number uint16) string { return strconv.Itoa(int(number)) }

func (t *Transport) open(ctx context.Context, c *call.Call, options call.TransportOptions, print call.Fingerprint) error {
	// More than the kernel gives is no error: it gives what it may.
	_ = t.conn.SetReadBuffer(receiveBuffer)
	err := c.Request(ctx, "connectTransport", map[string]any{
		"transportId":    options.ID,
		"dtlsParameters": map[string]any{"role": "client", "fingerprints": []call.Fingerprint{print}},
	}, nil)
	if err != nil {
		return fmt.Errorf("connectTransport: %w", err)
	}
	if err := t.ice.connect(t.conn); err != nil {
		return err
	}
	return t.keys(ctx, options.DtlsParameters.Fingerprints)
}

// keys come from a DTLS handshake; after it nothing of DTLS is kept.
func (t *Transport) keys(ctx context.Context, prints []call.Fingerprint) error {
	own, err := certificate()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeMax)
	defer cancel()
	shaking := &shaking{UDPConn: t.conn}
	t.conn.SetReadDeadline(time.Time{})
	session, err := dtls.ClientWithOptions(shaking, t.conn.RemoteAddr(),
		dtls.WithCertificates(own),
		dtls.WithInsecureSkipVerify(true),
		dtls.WithExtendedMasterSecret(dtls.RequireExtendedMasterSecret),
		dtls.WithSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AEAD_AES_256_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80),
		dtls.WithVerifyConnection(func(state *dtls.State) error { return verify(state.PeerCertificates, prints) }),
	)
	if err != nil {
		return err
	}
	defer shaking.end(session)
	if err := session.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("MEDIA_FAILED: %w", err)
	}
	chosen, ok := session.SelectedSRTPProtectionProfile()
	state, exists := session.ConnectionState()
	if !ok || !exists {
		return errors.New("MEDIA_FAILED: no SRTP suite")
	}
	return t.derive(srtp.ProtectionProfile(chosen), &state)
}

func verify(certificates [][]byte, prints []call.Fingerprint) error {
	if len(certificates) == 0 {
		return errors.New("no certificate")
	}
	shown := fingerprintOf(certificates[0])
	for _, print := range prints {
		if print == shown {
			return nil
		}
	}
	return errors.New("another certificate than signaling told of")
}

func (t *Transport) derive(profile srtp.ProtectionProfile, state *dtls.State) (err error) {
	config := srtp.Config{Profile: profile}
	if err := config.ExtractSessionKeysFromDTLS(state, true); err != nil {
		return err
	}
	keys := config.Keys
	if t.out, err = srtp.CreateContext(keys.LocalMasterKey, keys.LocalMasterSalt, profile); err != nil {
		return err
	}
	t.in, err = srtp.CreateContext(keys.RemoteMasterKey, keys.RemoteMasterSalt, profile)
	return err
}

// shaking is the socket as DTLS sees it: other packets are passed over, and at the end it falls silent instead of saying goodbye.
type shaking struct {
	*net.UDPConn
	mutex sync.Mutex
	over  bool
}

func (s *shaking) ReadFrom(packet []byte) (int, net.Addr, error) {
	for {
		n, err := s.UDPConn.Read(packet)
		if err != nil {
			return 0, nil, err
		}
		if n > 0 && packet[0] >= 20 && packet[0] <= 63 {
			return n, s.UDPConn.RemoteAddr(), nil
		}
	}
}

func (s *shaking) WriteTo(packet []byte, _ net.Addr) (int, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.over {
		return len(packet), nil
	}
	return s.UDPConn.Write(packet)
}

// Close is not the socket's: media goes on over it.
func (s *shaking) Close() error { return nil }

func (s *shaking) end(session *dtls.Conn) {
	s.mutex.Lock()
	s.over = true
	s.mutex.Unlock()
	// Wakes its reader.
	s.UDPConn.SetReadDeadline(time.Unix(1, 0))
	_ = session.Close()
	s.UDPConn.SetReadDeadline(time.Time{})
}

// writeRTP seals and sends one packet. The payload is not kept.
func (t *Transport) writeRTP(header *rtp.Header, payload []byte) error {
	t.writing.Lock()
	defer t.writing.Unlock()
	size := header.MarshalSize()
	if cap(t.scratch) < packetMax {
		t.scratch = make([]byte, packetMax)
	}
	plain := t.scratch[:size+len(payload)]
	if _, err := header.MarshalTo(plain); err != nil {
		return err
	}
	copy(plain[size:], payload)
	sealed, err := t.out.EncryptRTP(nil, plain, header)
	if err != nil {
		return err
	}
	_, err = t.conn.Write(sealed)
	return err
}

func (t *Transport) writeRTCP(packets ...rtcp.Packet) error {
	plain, err := rtcp.Marshal(packets)
	if err != nil {
		return err
	}
	t.writing.Lock()
	defer t.writing.Unlock()
	sealed, err := t.out.EncryptRTCP(nil, plain, nil)
	if err != nil {
		return err
	}
	_, err = t.conn.Write(sealed)
	return err
}

// consent keeps the path open.
func (t *Transport) consent() {
	if check, err := t.ice.check(); err == nil {
		_, _ = t.conn.Write(check)
	}
}

func (t *Transport) isClosed() bool {
	select {
	case <-t.closed:
		return true
	default:
		return false
	}
}

// Close ends it without a word: the server closes its end when the Peer leaves.
func (t *Transport) Close() {
	t.once.Do(func() {
		close(t.closed)
		t.conn.Close()
	})
}
