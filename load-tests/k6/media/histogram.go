package media

import (
	"math/bits"
	"sync"
	"time"
)

// Buckets of a histogram: 32 to an octave of microseconds, so that a value is known to 3 %.
const (
	subBits = 5
	octaves = 28
)

// Histogram counts durations. Any number of goroutines may add to it.
type Histogram struct {
	mutex  sync.Mutex
	counts [octaves << subBits]uint32
	total  uint64
}

// Add counts one. What is below zero counts as zero: clocks are read in two places.
func (h *Histogram) Add(value time.Duration) {
	h.mutex.Lock()
	h.counts[bucketOf(value.Microseconds())]++
	h.total++
	h.mutex.Unlock()
}

func bucketOf(us int64) int {
	if us < 0 {
		us = 0
	}
	if us < 1<<subBits {
		return int(us)
	}
	octave := bits.Len64(uint64(us)) - subBits - 1
	bucket := (octave+1)<<subBits + int(us>>octave)&(1<<subBits-1)
	return min(bucket, octaves<<subBits-1)
}

// middleOf is the middle of a bucket, µs.
func middleOf(bucket int) float64 {
	if bucket < 1<<subBits {
		return float64(bucket)
	}
	octave := bucket>>subBits - 1
	return (float64(bucket&(1<<subBits-1)|1<<subBits) + 0.5) * float64(int64(1)<<octave)
}

// Quantile of what was counted, 0 to 1; 0 where nothing was.
func (h *Histogram) Quantile(q float64) time.Duration {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	rank := uint64(q * float64(h.total))
	var passed uint64
	for bucket, count := range h.counts {
		passed += uint64(count)
		if count > 0 && passed > min(rank, h.total-1) {
			return time.Duration(middleOf(bucket) * float64(time.Microsecond))
		}
	}
	return 0
}

// Total is how many were counted.
func (h *Histogram) Total() uint64 {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return h.total
}

// Forget begins anew.
func (h *Histogram) Forget() {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.counts, h.total = [octaves << subBits]uint32{}, 0
}

// Drain forgets what was counted, and gives at most so many values that are spread as all of it was.
func (h *Histogram) Drain(most int) []time.Duration {
	h.mutex.Lock()
	counts, total := h.counts, h.total
	h.counts, h.total = [octaves << subBits]uint32{}, 0
	h.mutex.Unlock()
	if total == 0 {
		return nil
	}
	wanted := min(uint64(most), total)
	values := make([]time.Duration, 0, wanted)
	var passed uint64
	for bucket, count := range counts {
		passed += uint64(count)
		// The middle of each of as many equal shares.
		for uint64(len(values)) < wanted && (2*uint64(len(values))+1)*total < 2*wanted*passed {
			values = append(values, time.Duration(middleOf(bucket)*float64(time.Microsecond)))
		}
	}
	return values
}
