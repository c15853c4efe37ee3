package media

import (
	"encoding/binary"
	"time"

	"github.com/pion/rtp"

	"veilcast/load-tests/k6/call"
)

// Header extensions that are looked at.
const (
	captureTime   = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"
	transportWide = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
)

// A key frame's packets, and what waits behind them, are timed apart for so long.
const keyFrameShadow = 200 * time.Millisecond

// stream is one Consumer's media as it comes.
type stream struct {
	consumer call.ConsumerView
	ssrc     uint32
	repairs  uint32
	clock    float64
	video    bool
	capture  uint8
	wide     uint8

	loss     loss
	pictures pictures
	bytes    int64
	headers  int64
	jitter   float64
	transit  float64
	first    time.Time
	latest   time.Time
	// Of the picture that comes: whether it is a key frame, and until when such a one slows others.
	key      bool
	shadow   time.Time
	lastSeq  uint16
	lastTime uint32
	asked    time.Time
	delays   *Delays
}

// Delays of packets, from the publisher's stamp to the arrival here.
type Delays struct{ Between, AtKeyFrames Histogram }

func newStream(consumer call.ConsumerView, delays *Delays) *stream {
	encoding := consumer.RtpParameters.Encodings[0]
	s := &stream{
		consumer: consumer,
		ssrc:     encoding.SSRC,
		clock:    float64(consumer.RtpParameters.Codecs[0].ClockRate),
		video:    consumer.Kind == "video",
		capture:  consumer.RtpParameters.ExtensionID(captureTime),
		wide:     consumer.RtpParameters.ExtensionID(transportWide),
		delays:   delays,
	}
	if encoding.RTX != nil {
		s.repairs = encoding.RTX.SSRC
	}
	return s
}

// take notes one packet; `onFrame` hears the delay of the last packet of each picture that is stamped.
func (s *stream) take(header *rtp.Header, payload []byte, at time.Time, onFrame func(delay time.Duration, key bool)) {
	repair := header.SSRC == s.repairs
	sequence := header.SequenceNumber
	if repair {
		if len(payload) < 2 {
			return
		}
		sequence, payload = binary.BigEndian.Uint16(payload), payload[2:]
	}
	// Probes of the bandwidth are padding alone, and have numbers of their own on the stream of repairs.
	if len(payload) == 0 && repair {
		return
	}
	number, fresh := s.loss.take(sequence, repair, at)
	if !fresh {
		return
	}
	s.bytes += int64(len(payload))
	s.latest = at
	if s.first.IsZero() {
		s.first = at
	}
	if !repair {
		s.timed(header, at)
	}
	if s.video {
		s.picture(header, payload, number, at)
	}
	s.delay(header, repair, at, onFrame)
}

// timed is the jitter of RFC 3550, §6.4.1, by each picture's first packet.
func (s *stream) timed(header *rtp.Header, at time.Time) {
	s.lastSeq = header.SequenceNumber
	if header.Timestamp == s.lastTime {
		return
	}
	s.lastTime = header.Timestamp
	transit := float64(at.UnixMicro()%(1<<40))*s.clock/1e6 - float64(header.Timestamp)
	if s.transit != 0 {
		difference := transit - s.transit
		// The timestamp has come around, or another layer counts from elsewhere.
		if difference > s.clock || difference < -s.clock {
			difference = 0
		}
		s.jitter += (max(difference, -difference) - s.jitter) / 16
	}
	s.transit = transit
}

func (s *stream) picture(header *rtp.Header, payload []byte, number int64, at time.Time) {
	if starts, key := vp8Frame(payload); starts {
		s.key = key
		if key {
			s.shadow = at.Add(keyFrameShadow)
		}
	}
	if header.Marker {
		s.pictures.ended(number, s.key)
	}
	s.pictures.show(&s.loss, at)
}

func (s *stream) delay(header *rtp.Header, repair bool, at time.Time, onFrame func(time.Duration, bool)) {
	if s.capture == 0 || repair {
		return
	}
	stamp := header.GetExtension(s.capture)
	if len(stamp) < 8 {
		return
	}
	delay := at.Sub(fromNTP(binary.BigEndian.Uint64(stamp)))
	key := at.Before(s.shadow)
	if s.delays != nil {
		if key {
			s.delays.AtKeyFrames.Add(delay)
		} else {
			s.delays.Between.Add(delay)
		}
	}
	if onFrame != nil && header.Marker {
		onFrame(delay, key)
	}
}

// vp8Frame reads a VP8 descriptor (RFC 7741, §4.2): whether a picture starts here, and whether it is a key frame. The first bytes of a
// sealed frame stay clear (docs/e2ee/frames.md).
func vp8Frame(payload []byte) (starts, key bool) {
	if len(payload) < 2 || payload[0]&0x10 == 0 || payload[0]&0x07 != 0 {
		return false, false
	}
	at := 1
	if payload[0]&0x80 != 0 {
		extended := payload[1]
		at = 2
		if extended&0x80 != 0 && len(payload) > at {
			at += 1 + int(payload[at]>>7)
		}
		if extended&0x40 != 0 {
			at++
		}
		if extended&0x30 != 0 {
			at++
		}
	}
	return true, len(payload) > at && payload[at]&1 == 0
}

// The epoch of NTP is 70 years before Unix's.
const ntpOffset = 2208988800

func toNTP(at time.Time) uint64 {
	return uint64(at.Unix()+ntpOffset)<<32 | uint64(at.Nanosecond())<<32/1e9
}

func fromNTP(stamp uint64) time.Time {
	return time.Unix(int64(stamp>>32)-ntpOffset, int64(stamp&0xffffffff*1e9>>32))
}
