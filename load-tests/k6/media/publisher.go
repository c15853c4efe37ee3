package media

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"veilcast/load-tests/k6/call"
)

const (
	// Packets kept for repairs, a layer; a power of two.
	keptMax     = 1024
	senderEvery = time.Second
	// A frame that is later than so many of its intervals is left out, and counted: the generator is too slow.
	lateMax = 3
)

// Publisher sends one Producer.
type Publisher struct {
	ProducerID string

	sender *Sender
	shape  Shape
	video  bool
	types  payloadTypes
	layers []*layer

	// Late frames were left out: what was measured meanwhile is not the server.
	packets, bytes, late, repairs, asked atomic.Int64
	wantKey                              atomic.Bool
	paused                               atomic.Bool
}

type payloadTypes struct{ media, rtx, capture, wide uint8 }

// layer is one stream of a simulcast.
type layer struct {
	ssrc, rtx     uint32
	width, height uint16
	scale         int
	mutex         sync.Mutex
	sequence      uint16
	repair        uint16
	octets, count uint32
	timestamp     uint32
	kept          [keptMax]keptPacket
}

type keptPacket struct {
	header  rtp.Header
	payload []byte
}

// parameters of what is sent, from what the Router takes.
func (p *Publisher) parameters(of call.RtpCapabilities) (call.RtpParameters, error) {
	mime := "audio/opus"
	if p.video {
		mime = "video/vp8"
	}
	parameters := call.RtpParameters{
		HeaderExtensions: []call.HeaderExtension{},
		Rtcp:             call.Rtcp{Cname: fmt.Sprintf("load-%08x", rand.Uint32()), ReducedSize: true},
	}
	for _, codec := range of.Codecs {
		isMedia := strings.ToLower(codec.MimeType) == mime
		isRTX := p.video && strings.ToLower(codec.MimeType) == "video/rtx" && aptOf(codec) == p.types.media
		if isMedia {
			p.types.media = codec.PreferredPayloadType
		} else if isRTX {
			p.types.rtx = codec.PreferredPayloadType
		} else {
			continue
		}
		codec.Kind, codec.PayloadType, codec.PreferredPayloadType = "", codec.PreferredPayloadType, 0
		parameters.Codecs = append(parameters.Codecs, codec)
	}
	if p.types.media == 0 {
		return parameters, fmt.Errorf("MEDIA_UNSUPPORTED: the Router takes no %s", mime)
	}
	kind := strings.SplitN(mime, "/", 2)[0]
	for _, extension := range of.HeaderExtensions {
		if extension.Kind != kind {
			continue
		}
		switch extension.URI {
		case captureTime:
			p.types.capture = uint8(extension.PreferredID)
		case transportWide:
			p.types.wide = uint8(extension.PreferredID)
		default:
			continue
		}
		parameters.HeaderExtensions = append(parameters.HeaderExtensions,
			call.HeaderExtension{URI: extension.URI, ID: extension.PreferredID})
	}
	p.makeLayers(&parameters)
	return parameters, nil
}

func (p *Publisher) makeLayers(parameters *call.RtpParameters) {
	for index := range p.shape.Layers {
		scale := 1 << (p.shape.Layers - 1 - index)
		one := &layer{
			ssrc: rand.Uint32()>>1 | 1, rtx: rand.Uint32()>>1 | 1, scale: scale,
			width: uint16(1280 / scale), height: uint16(720 / scale), sequence: uint16(rand.Uint32()), timestamp: rand.Uint32(),
		}
		p.layers = append(p.layers, one)
		encoding := call.Encoding{SSRC: one.ssrc, MaxBitrate: p.shape.Fps * p.shape.FrameBytes * 8 / (scale * scale)}
		if p.types.rtx != 0 {
			encoding.RTX = &call.SSRC{SSRC: one.rtx}
		}
		if p.video {
			encoding.ScalabilityMode = "L1T1"
		}
		parameters.Encodings = append(parameters.Encodings, encoding)
	}
}

// send keeps the pace of the shape until the transport closes.
func (p *Publisher) send() {
	interval := time.Second / time.Duration(p.shape.Fps)
	clock := uint32(48000)
	if p.video {
		clock = 90000
	}
	var frame []byte
	var reported time.Time
	for next, number := time.Now(), 0; ; number, next = number+1, next.Add(interval) {
		now := time.Now()
		if wait := next.Sub(now); wait > 0 {
			select {
			case <-p.sender.transport.closed:
				return
			case <-time.After(wait):
			}
		} else if -wait > lateMax*interval {
			skipped := int64(-wait / interval)
			p.late.Add(skipped)
			next = next.Add(time.Duration(skipped) * interval)
		}
		if p.sender.transport.isClosed() {
			return
		}
		key := p.video && (p.wantKey.Swap(false) || (p.shape.KeyEvery > 0 && number%p.shape.KeyEvery == 0))
		for _, one := range p.layers {
			one.timestamp += clock / uint32(p.shape.Fps)
			if !p.paused.Load() {
				frame = p.frame(frame, one, uint16(number), key)
			}
		}
		if now = time.Now(); now.Sub(reported) >= senderEvery {
			reported = now
			p.report(now)
		}
	}
}

// frame sends one frame of one layer.
func (p *Publisher) frame(buffer []byte, one *layer, number uint16, key bool) []byte {
	size := p.shape.FrameBytes
	if key {
		size = max(size, p.shape.KeyFrameBytes)
	}
	size /= one.scale * one.scale
	if !p.video {
		_ = p.packet(one, noise[:size], true)
		return buffer
	}
	frame := sealedFrame(buffer, size, key, one.width, one.height)
	payload := make([]byte, 0, p.shape.PacketBytes)
	for at := 0; at < len(frame); {
		end := min(at+p.shape.PacketBytes-4, len(frame))
		payload = append(descriptor(payload, at == 0, number), frame[at:end]...)
		if p.packet(one, payload, end == len(frame)) != nil {
			return frame
		}
		at = end
	}
	return frame
}

func (p *Publisher) packet(one *layer, payload []byte, last bool) error {
	one.mutex.Lock()
	one.sequence++
	header := rtp.Header{
		Version: 2, Marker: last, PayloadType: p.types.media,
		SequenceNumber: one.sequence, Timestamp: one.timestamp, SSRC: one.ssrc,
	}
	one.octets += uint32(len(payload))
	one.count++
	if p.types.rtx != 0 {
		kept := &one.kept[one.sequence%keptMax]
		kept.header = header
		kept.payload = append(kept.payload[:0], payload...)
	}
	one.mutex.Unlock()
	p.packets.Add(1)
	p.bytes.Add(int64(len(payload)))
	return p.sender.write(&header, payload, p.types, true)
}

func (p *Publisher) heard(packet rtcp.Packet) {
	for _, one := range p.layers {
		switch said := packet.(type) {
		case *rtcp.PictureLossIndication:
			if said.MediaSSRC == one.ssrc {
				p.asked.Add(1)
				p.wantKey.Store(true)
			}
		case *rtcp.FullIntraRequest:
			if slices.ContainsFunc(said.FIR, func(entry rtcp.FIREntry) bool { return entry.SSRC == one.ssrc }) {
				p.asked.Add(1)
				p.wantKey.Store(true)
			}
		case *rtcp.TransportLayerNack:
			if said.MediaSSRC == one.ssrc {
				p.again(one, said.Nacks)
			}
		}
	}
}

// again sends what was asked for (RFC 4588).
func (p *Publisher) again(one *layer, asked []rtcp.NackPair) {
	for _, pair := range asked {
		for _, sequence := range pair.PacketList() {
			one.mutex.Lock()
			kept := one.kept[sequence%keptMax]
			payload := binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(kept.payload)), sequence)
			payload = append(payload, kept.payload...)
			one.repair++
			header := kept.header
			header.SSRC, header.PayloadType, header.SequenceNumber = one.rtx, p.types.rtx, one.repair
			one.mutex.Unlock()
			if kept.header.SequenceNumber != sequence || p.types.rtx == 0 {
				continue
			}
			p.repairs.Add(1)
			_ = p.sender.write(&header, payload, p.types, false)
		}
	}
}

func (p *Publisher) report(now time.Time) {
	for _, one := range p.layers {
		one.mutex.Lock()
		report := &rtcp.SenderReport{
			SSRC: one.ssrc, NTPTime: toNTP(now), RTPTime: one.timestamp, PacketCount: one.count, OctetCount: one.octets,
		}
		one.mutex.Unlock()
		_ = p.sender.transport.writeRTCP(report)
	}
}

// Sent is what has left so far.
type Sent struct {
	Packets int64 `json:"packets"`
	Bytes   int64 `json:"bytes"`
	// Late frames were left out, for this program was too slow.
	Late     int64 `json:"late"`
	Repairs  int64 `json:"repairs"`
	KeyAsked int64 `json:"keyAsked"`
}

// Count is what has left so far.
func (p *Publisher) Count() Sent {
	return Sent{p.packets.Load(), p.bytes.Load(), p.late.Load(), p.repairs.Load(), p.asked.Load()}
}

// SetPaused stops and starts, here and for everybody: a message to the whole Room.
func (p *Publisher) SetPaused(ctx context.Context, paused bool) error {
	p.paused.Store(paused)
	name := "resumeProducer"
	if paused {
		name = "pauseProducer"
	}
	return p.sender.call.Request(ctx, name, map[string]any{"producerId": p.ProducerID}, nil)
}
