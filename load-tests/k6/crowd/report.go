package crowd

import (
	"time"

	"veilcast/load-tests/k6/media"
)

// Spread of durations, ms.
type Spread struct {
	Count uint64  `json:"count"`
	P50   float64 `json:"p50"`
	P95   float64 `json:"p95"`
	P99   float64 `json:"p99"`
	P999  float64 `json:"p999"`
	Max   float64 `json:"max"`
}

func spreadOf(h *media.Histogram) Spread {
	ms := func(q float64) float64 { return float64(h.Quantile(q)) / float64(time.Millisecond) }
	return Spread{Count: h.Total(), P50: ms(0.5), P95: ms(0.95), P99: ms(0.99), P999: ms(0.999), Max: ms(1)}
}

// Report is all that a meter has.
type Report struct {
	Joins       int64            `json:"joins"`
	Handshake   Spread           `json:"handshake"`
	Join        Spread           `json:"join"`
	FirstPacket Spread           `json:"firstPacket"`
	Reconnect   Spread           `json:"reconnect"`
	Delay       Spread           `json:"delay"`
	KeyDelay    Spread           `json:"keyDelay"`
	Message     Spread           `json:"message"`
	Gap         Spread           `json:"gap"`
	Rekey       Spread           `json:"rekey"`
	Said        int64            `json:"said"`
	Due         int64            `json:"due"`
	Heard       int64            `json:"heard"`
	Refusals    map[string]int64 `json:"refusals"`
	Endings     map[string]int64 `json:"endings"`
}

// Report is what has been measured so far.
func (m *Meter) Report() Report {
	return Report{
		Joins: m.Joins.Load(), Handshake: spreadOf(&m.Handshake), Join: spreadOf(&m.Join),
		FirstPacket: spreadOf(&m.FirstPacket), Reconnect: spreadOf(&m.Reconnect),
		Delay: spreadOf(&m.Delays.Between), KeyDelay: spreadOf(&m.Delays.AtKeyFrames), Message: spreadOf(&m.Message),
		Gap: spreadOf(&m.Gap), Rekey: spreadOf(&m.Rekey),
		Said: m.Said.Load(), Due: m.Due.Load(), Heard: m.Heard.Load(),
		Refusals: m.Refusals(), Endings: m.Endings(),
	}
}

// Forget begins the delays anew: what came while a crowd was gathering is no steady state.
func (m *Meter) Forget() {
	m.Delays.Between.Forget()
	m.Delays.AtKeyFrames.Forget()
	m.Message.Forget()
	m.Said.Store(0)
	m.Due.Store(0)
	m.Heard.Store(0)
}
