package media

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pion/rtp"

	"veilcast/load-tests/k6/call"
)

var began = time.Unix(1_800_000_000, 0)

func after(ms int) time.Time { return began.Add(time.Duration(ms) * time.Millisecond) }

func TestHistogramKnowsValuesToThreePercent(t *testing.T) {
	for _, value := range []time.Duration{0, 31 * time.Microsecond, time.Millisecond, 46 * time.Millisecond, 9 * time.Second} {
		var h Histogram
		h.Add(value)
		got := h.Quantile(0.5)
		if difference := (got - value).Abs(); difference > value/32+time.Microsecond {
			t.Errorf("%v came back as %v", value, got)
		}
	}
	var h Histogram
	for ms := 1; ms <= 1000; ms++ {
		h.Add(time.Duration(ms) * time.Millisecond)
	}
	for q, want := range map[float64]time.Duration{0.5: 500, 0.95: 950, 0.99: 990, 1: 1000} {
		if got := h.Quantile(q); (got - want*time.Millisecond).Abs() > want*time.Millisecond/30 {
			t.Errorf("quantile %v is %v", q, got)
		}
	}
	if (&Histogram{}).Quantile(0.5) != 0 {
		t.Error("a quantile of nothing")
	}
}

// Whatever is dropped, doubled and mixed up, each packet is counted once: received, or lost, or still missing.
func TestLossCountsEachPacketOnce(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		var l loss
		first, total := uint16(random.Uint32()), 3000
		came := map[int]bool{0: true}
		l.take(first, false, began)
		for i := 1; i < total; i++ {
			// The last one comes, so that the end is known.
			if random.Float64() < 0.03 && i < total-1 {
				continue
			}
			at := i
			if random.Float64() < 0.05 && i > 20 {
				at = i - random.IntN(20)
			}
			l.take(first+uint16(at), false, after(i))
			came[at] = true
		}
		l.take(first+uint16(total-1), false, after(total))
		came[total-1] = true
		if l.Received != int64(len(came)) || int(l.Received)+len(l.holes) != total || l.Lost != 0 {
			t.Fatalf("seed %d: received %d of %d, %d missing, %d lost", seed, l.Received, len(came), len(l.holes), l.Lost)
		}
		if _, gaveUp := l.wanted(after(total + 2000)); !gaveUp && len(came) < total {
			t.Fatal("nothing was given up")
		}
		if int(l.Received+l.Lost) != total || len(l.holes) != 0 {
			t.Fatalf("seed %d: %d received and %d lost are not %d", seed, l.Received, l.Lost, total)
		}
	}
}

func TestRepairIsAskedForAndCounted(t *testing.T) {
	var l loss
	l.take(65534, false, after(0))
	l.take(1, false, after(1))
	numbers, _ := l.wanted(after(2))
	if len(numbers) != 2 {
		t.Fatalf("asked for %v", numbers)
	}
	if again, _ := l.wanted(after(3)); len(again) != 0 {
		t.Error("asked again at once")
	}
	l.take(65535, true, after(5))
	l.take(0, true, after(5))
	if l.Repaired != 2 || len(l.holes) != 0 || l.Received != 4 {
		t.Errorf("%+v", l)
	}
}

func packet(number int, key, starts, ends bool) (*rtp.Header, []byte) {
	header := &rtp.Header{SSRC: 1, SequenceNumber: uint16(number), Timestamp: uint32(number / 2 * 3000), Marker: ends}
	payload := append(descriptor(nil, starts, 1), sealedFrame(nil, 64, key, 64, 64)...)
	return header, payload
}

func watched() *stream {
	return newStream(call.ConsumerView{Kind: "video", RtpParameters: call.RtpParameters{
		Codecs: []call.RtpCodec{{ClockRate: 90000}}, Encodings: []call.Encoding{{SSRC: 1, RTX: &call.SSRC{SSRC: 2}}},
	}}, nil)
}

// 30 frames of two packets a second; every 100th is a key frame.
func play(s *stream, from, to int, lost func(frame int) bool) {
	for frame := from; frame < to; frame++ {
		for half := range 2 {
			header, payload := packet(2*frame+half, frame%100 == 0, half == 0, half == 1)
			if half == 0 && lost(frame) {
				continue
			}
			s.take(header, payload, after(frame*33), nil)
		}
	}
}

func TestPicturesFreezeUntilTheNextKeyFrame(t *testing.T) {
	s := watched()
	play(s, 0, 150, func(frame int) bool { return false })
	if s.pictures.Shown != 150 || s.pictures.KeyFrames != 2 || s.pictures.Freezes != 0 {
		t.Fatalf("%+v", s.pictures)
	}
	play(s, 150, 190, func(frame int) bool { return frame == 150 })
	s.loss.wanted(after(190 * 33).Add(2 * time.Second))
	s.pictures.broken = true
	play(s, 190, 250, func(frame int) bool { return false })
	if s.pictures.Shown >= 250-40 || s.pictures.Freezes != 1 || s.loss.Lost != 1 {
		t.Fatalf("%+v, lost %d", s.pictures, s.loss.Lost)
	}
	if s.pictures.Frozen < time.Second {
		t.Errorf("frozen for %v", s.pictures.Frozen)
	}
}

func TestFramesSayWhatTheyAre(t *testing.T) {
	for _, key := range []bool{true, false} {
		_, payload := packet(0, key, true, false)
		if starts, isKey := vp8Frame(payload); !starts || isKey != key {
			t.Errorf("key %v was read as %v, %v", key, starts, isKey)
		}
	}
	_, later := packet(1, false, false, true)
	if starts, _ := vp8Frame(later); starts {
		t.Error("a frame starts in its middle")
	}
	if at := fromNTP(toNTP(began)); at.Sub(began).Abs() > time.Microsecond {
		t.Errorf("%v came back as %v", began, at)
	}
}
