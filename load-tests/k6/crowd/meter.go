// Package crowd plays many people at once: joins them at a rate, lets them watch, publish, talk, come and go, and measures.
package crowd

import (
	"sync"
	"sync/atomic"

	"veilcast/load-tests/k6/media"
)

// Meter is where a crowd's measurements go. Any number of goroutines use it.
type Meter struct {
	Joins, Left                             atomic.Int64
	Handshake, Join, FirstPacket, Reconnect media.Histogram
	// Gap is without media, for those who were moved; Rekey from one's leaving to the new Epoch at each who stays.
	Gap, Rekey media.Histogram
	Delays     media.Delays
	// Message is from the request of one to the socket of each other; Said and Heard are how many, Due how many should be heard.
	Message          media.Histogram
	Said, Due, Heard atomic.Int64

	mutex    sync.Mutex
	refusals map[string]int64
	endings  map[string]int64
}

// NewMeter has counted nothing.
func NewMeter() *Meter {
	return &Meter{refusals: map[string]int64{}, endings: map[string]int64{}}
}

func (m *Meter) refused(code string) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.refusals[code]++
}

func (m *Meter) ended(code string) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.endings[code]++
}

// DrainRefusals are the joins that failed since the last time, by code.
func (m *Meter) DrainRefusals() map[string]int64 { return m.drain(&m.refusals) }

// DrainEndings are the calls that ended against their will since the last time, by code.
func (m *Meter) DrainEndings() map[string]int64 { return m.drain(&m.endings) }

func (m *Meter) drain(counts *map[string]int64) map[string]int64 {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	drained := *counts
	*counts = map[string]int64{}
	return drained
}

// Refusals are the joins that failed, by code.
func (m *Meter) Refusals() map[string]int64 { return m.copyOf(&m.refusals) }

// Endings are the calls that ended against their will, by code.
func (m *Meter) Endings() map[string]int64 { return m.copyOf(&m.endings) }

func (m *Meter) copyOf(counts *map[string]int64) map[string]int64 {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	copied := make(map[string]int64, len(*counts))
	for code, count := range *counts {
		copied[code] = count
	}
	return copied
}
