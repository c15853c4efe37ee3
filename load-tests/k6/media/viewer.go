package media

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"veilcast/load-tests/k6/call"
)

const (
	// Feedback for the server's estimate of bandwidth; browsers send it each 50 to 250 ms.
	feedbackEvery = 100 * time.Millisecond
	reportEvery   = time.Second
	keyFrameAsks  = 500 * time.Millisecond
	lookEvery     = 5 * time.Millisecond
)

// Viewer receives what is published in a Room, and decodes nothing.
type Viewer struct {
	// OnFrame hears how long a picture was under way, and whether a key frame passed; from the reader, so it must be quick.
	OnFrame func(delay time.Duration, key bool)

	call      *call.Call
	transport *Transport
	delays    *Delays
	began     time.Time
	sender    uint32

	mutex    sync.Mutex
	streams  map[uint32]*stream
	wide     *twcc.Recorder
	wideID   uint8
	wideSSRC uint32
	changes  int64
	closed   Counts
	firstAt  time.Time
}

// Watch connects the receiving transport and consumes these Producers. `delays` may be shared by many viewers, or nil.
func Watch(ctx context.Context, c *call.Call, producers []string, local net.IP, link Link, delays *Delays) (*Viewer, error) {
	v := &Viewer{call: c, delays: delays, began: time.Now(), streams: map[uint32]*stream{}}
	v.sender = uint32(time.Now().UnixNano()) | 1
	v.wide = twcc.NewRecorder(v.sender)
	var err error
	if v.transport, err = Connect(ctx, c, c.Admission.RecvTransport, local); err != nil {
		return nil, err
	}
	v.transport.link = link
	go v.transport.read(received{rtp: v.take})
	go v.answer()
	if err := v.Consume(ctx, producers); err != nil {
		v.Close()
		return nil, err
	}
	return v, nil
}

// Consume takes more Producers.
func (v *Viewer) Consume(ctx context.Context, producers []string) error {
	if len(producers) == 0 {
		return nil
	}
	var made struct{ Consumers []call.ConsumerView }
	err := v.call.Request(ctx, "consume", map[string]any{
		"producerIds":     producers,
		"rtpCapabilities": capabilities(v.call.Admission.Capabilities),
	}, &made)
	if err != nil {
		return fmt.Errorf("consume: %w", err)
	}
	var ids []string
	for _, consumer := range made.Consumers {
		if len(consumer.RtpParameters.Encodings) == 0 || len(consumer.RtpParameters.Codecs) == 0 {
			continue
		}
		v.add(newStream(consumer, v.delays))
		ids = append(ids, consumer.ConsumerID)
	}
	if len(ids) == 0 {
		return nil
	}
	return v.call.Request(ctx, "resumeConsumers", map[string]any{"consumerIds": ids}, nil)
}

func (v *Viewer) add(s *stream) {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	v.streams[s.ssrc] = s
	if s.repairs != 0 {
		v.streams[s.repairs] = s
	}
	if s.wide != 0 {
		v.wideID = s.wide
	}
}

// Heard is to be told of the call's events: Consumers close and layers change there.
func (v *Viewer) Heard(event call.Event) {
	var body struct{ ConsumerID string }
	switch event.Name {
	case "consumerLayers":
		v.mutex.Lock()
		v.changes++
		v.mutex.Unlock()
	case "consumerClosed":
		if json.Unmarshal(event.Body, &body) == nil {
			v.drop(body.ConsumerID)
		}
	}
}

func (v *Viewer) drop(consumerID string) {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	for ssrc, s := range v.streams {
		if s.consumer.ConsumerID != consumerID {
			continue
		}
		if ssrc == s.ssrc {
			v.closed.add(s, time.Now())
		}
		delete(v.streams, ssrc)
	}
}

func (v *Viewer) take(header *rtp.Header, payload []byte, at time.Time) {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	if v.wideID != 0 {
		if number := header.GetExtension(v.wideID); len(number) == 2 {
			v.wideSSRC = header.SSRC
			v.wide.Record(header.SSRC, uint16(number[0])<<8|uint16(number[1]), at.Sub(v.began).Microseconds())
		}
	}
	s := v.streams[header.SSRC]
	if s == nil {
		return
	}
	if v.firstAt.IsZero() {
		v.firstAt = at
	}
	before := len(s.loss.holes)
	s.take(header, payload, at, v.OnFrame)
	if len(s.loss.holes) > before {
		v.repair(s, at)
	}
}

// answer sends what a receiver owes: feedback, reports, requests for repairs.
func (v *Viewer) answer() {
	ticker := time.NewTicker(feedbackEvery)
	defer ticker.Stop()
	var reported, consented time.Time
	for {
		var now time.Time
		select {
		case <-v.transport.closed:
			return
		case now = <-ticker.C:
		}
		v.mutex.Lock()
		packets := v.wide.BuildFeedbackPacket()
		for ssrc, s := range v.streams {
			if ssrc == s.ssrc {
				v.repair(s, now)
				s.pictures.show(&s.loss, now)
			}
		}
		if now.Sub(reported) >= reportEvery {
			reported = now
			packets = append(packets, v.report())
		}
		v.mutex.Unlock()
		if len(packets) > 0 {
			_ = v.transport.writeRTCP(packets...)
		}
		if now.Sub(consented) >= consentEvery {
			consented = now
			v.transport.consent()
		}
	}
}

// repair asks for what is missing, and for a key frame where it has been given up. Called with the mutex held.
func (v *Viewer) repair(s *stream, now time.Time) {
	if len(s.loss.holes) == 0 {
		return
	}
	numbers, gaveUp := s.loss.wanted(now)
	if len(numbers) > 0 && s.repairs != 0 {
		_ = v.transport.writeRTCP(&rtcp.TransportLayerNack{
			SenderSSRC: v.sender, MediaSSRC: s.ssrc, Nacks: rtcp.NackPairsFromSequenceNumbers(numbers),
		})
	}
	if gaveUp && s.video {
		s.pictures.broken = true
		if now.Sub(s.asked) >= keyFrameAsks {
			s.asked = now
			_ = v.transport.writeRTCP(&rtcp.PictureLossIndication{SenderSSRC: v.sender, MediaSSRC: s.ssrc})
		}
	}
}

func (v *Viewer) report() rtcp.Packet {
	report := &rtcp.ReceiverReport{SSRC: v.sender}
	for ssrc, s := range v.streams {
		// A report has room for 31.
		if ssrc != s.ssrc || !s.loss.begun || len(report.Reports) == 31 {
			continue
		}
		report.Reports = append(report.Reports, rtcp.ReceptionReport{
			SSRC: s.ssrc, TotalLost: uint32(s.loss.Lost), LastSequenceNumber: uint32(s.loss.next - 1), Jitter: uint32(s.jitter),
		})
	}
	return report
}

// FirstPacket is how long after Watch the first packet came; 0 where none has.
func (v *Viewer) FirstPacket() time.Duration {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	if v.firstAt.IsZero() {
		return 0
	}
	return v.firstAt.Sub(v.began)
}

// AwaitPacket waits for the first packet, and says when it came.
func (v *Viewer) AwaitPacket(ctx context.Context) (time.Time, error) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		v.mutex.Lock()
		first := v.firstAt
		v.mutex.Unlock()
		if !first.IsZero() {
			return first, nil
		}
		select {
		case <-ctx.Done():
			return first, ctx.Err()
		case <-ticker.C:
		}
	}
}

// LastPacket is when the last one came; zero where none has.
func (v *Viewer) LastPacket() (last time.Time) {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	for _, s := range v.streams {
		if s.latest.After(last) {
			last = s.latest
		}
	}
	return last
}

// Close ends the transport. The counts stay.
func (v *Viewer) Close() { v.transport.Close() }
