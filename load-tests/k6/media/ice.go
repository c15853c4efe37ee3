package media

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net"
	"time"

	"github.com/pion/stun/v3"

	"veilcast/load-tests/k6/call"
)

const (
	checkEvery = 100 * time.Millisecond
	checkMax   = 5 * time.Second
	// The server forgets a path that is silent for 30 s (RFC 7675 asks for 5).
	consentEvery = 4 * time.Second
)

// priority of a host candidate (RFC 8445, §5.1.2).
const priority = 126<<24 | 65535<<8 | 255

// ice is the controlling end towards an ICE-lite server: it has one address, and nominates with its first check.
type ice struct {
	user, password string
	tie            uint64
}

func newIce(options call.TransportOptions) ice {
	random := make([]byte, 12)
	rand.Read(random)
	return ice{
		user:     options.IceParameters.UsernameFragment + ":" + hex.EncodeToString(random[:4]),
		password: options.IceParameters.Password,
		tie:      binary.BigEndian.Uint64(random[4:]),
	}
}

func (i ice) check() ([]byte, error) {
	tie := binary.BigEndian.AppendUint64(nil, i.tie)
	message, err := stun.Build(stun.TransactionID, stun.BindingRequest, stun.NewUsername(i.user),
		stun.RawAttribute{Type: stun.AttrICEControlling, Value: tie},
		stun.RawAttribute{Type: stun.AttrUseCandidate},
		stun.RawAttribute{Type: stun.AttrPriority, Value: binary.BigEndian.AppendUint32(nil, priority)},
		stun.NewShortTermIntegrity(i.password), stun.Fingerprint)
	if err != nil {
		return nil, err
	}
	return message.Raw, nil
}

// connect checks until the server has answered.
func (i ice) connect(conn *net.UDPConn) error {
	packet := make([]byte, 1500)
	for began := time.Now(); time.Since(began) < checkMax; {
		check, err := i.check()
		if err != nil {
			return err
		}
		if _, err := conn.Write(check); err != nil {
			return err
		}
		conn.SetReadDeadline(time.Now().Add(checkEvery))
		n, err := conn.Read(packet)
		if err == nil && isSuccess(packet[:n]) {
			return nil
		}
	}
	return errors.New("MEDIA_FAILED: no answer to a connectivity check")
}

func isSuccess(packet []byte) bool {
	return len(packet) >= 20 && packet[0] == 1 && packet[1] == 1
}

// candidateOf is where the server takes UDP.
func candidateOf(options call.TransportOptions) (*net.UDPAddr, error) {
	for _, each := range options.IceCandidates {
		address := each.Address
		if address == "" {
			address = each.IP
		}
		if each.Protocol == "udp" {
			return net.ResolveUDPAddr("udp", net.JoinHostPort(address, port(each.Port)))
		}
	}
	return nil, errors.New("MEDIA_FAILED: the server takes no UDP")
}
