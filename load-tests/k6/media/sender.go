package media

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"veilcast/load-tests/k6/call"
)

// Sender is the sending transport of a Peer, with all that it publishes.
type Sender struct {
	call      *call.Call
	transport *Transport
	mutex     sync.Mutex
	wide      uint16
	all       []*Publisher
}

// NewSender connects the sending transport.
func NewSender(ctx context.Context, c *call.Call, local net.IP) (*Sender, error) {
	transport, err := Connect(ctx, c, c.Admission.SendTransport, local)
	if err != nil {
		return nil, err
	}
	s := &Sender{call: c, transport: transport}
	go transport.read(received{rtp: func(*rtp.Header, []byte, time.Time) {}, rtcp: s.heard})
	go s.consent()
	return s, nil
}

// Publish makes a Producer and sends it. Source: camera, screen, microphone, screen-audio.
func (s *Sender) Publish(ctx context.Context, source string, shape Shape) (*Publisher, error) {
	if err := shape.check(); err != nil {
		return nil, err
	}
	p := &Publisher{sender: s, shape: shape, video: source == "camera" || source == "screen"}
	parameters, err := p.parameters(s.call.Admission.Capabilities)
	if err != nil {
		return nil, err
	}
	kind := "audio"
	if p.video {
		kind = "video"
	}
	var made struct{ ProducerID string }
	err = s.call.Request(ctx, "produce", map[string]any{
		"kind": kind, "source": source, "rtpParameters": parameters, "paused": false,
	}, &made)
	if err != nil {
		return nil, fmt.Errorf("produce: %w", err)
	}
	p.ProducerID = made.ProducerID
	s.mutex.Lock()
	s.all = append(s.all, p)
	s.mutex.Unlock()
	go p.send()
	return p, nil
}

// write adds the extensions: the time at which the packet leaves, and its number on the transport.
func (s *Sender) write(header *rtp.Header, payload []byte, types payloadTypes, stamped bool) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if types.capture != 0 && stamped {
		stamp := binary.BigEndian.AppendUint64(make([]byte, 0, 8), toNTP(time.Now()))
		_ = header.SetExtension(types.capture, stamp)
	}
	if types.wide != 0 {
		s.wide++
		_ = header.SetExtension(types.wide, []byte{byte(s.wide >> 8), byte(s.wide)})
	}
	return s.transport.writeRTP(header, payload)
}

func (s *Sender) heard(packets []rtcp.Packet) {
	s.mutex.Lock()
	all := s.all
	s.mutex.Unlock()
	for _, packet := range packets {
		for _, p := range all {
			p.heard(packet)
		}
	}
}

func (s *Sender) consent() {
	ticker := time.NewTicker(consentEvery)
	defer ticker.Stop()
	for {
		select {
		case <-s.transport.closed:
			return
		case <-ticker.C:
			s.transport.consent()
		}
	}
}

// Close stops sending. The server learns of it with the call's end.
func (s *Sender) Close() { s.transport.Close() }
