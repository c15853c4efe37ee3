package main

import (
	"bytes"
	"context"
	"encoding/json"
	"runtime"
	"syscall"
	"time"

	"go.k6.io/k6/v2/metrics"
)

// A timer of so long is looked at for how late it comes.
const lookEvery = 20 * time.Millisecond

// generator watches this process: one that has no time left measures itself.
type generator struct {
	*instruments
	cpu  time.Duration
	at   time.Time
	late chan time.Duration
}

func newGenerator(i *instruments) *generator {
	return &generator{instruments: i, cpu: processorTime(), at: time.Now(), late: make(chan time.Duration, 1)}
}

// once tells k6 the share of this process's cores that it used since the last time, and how late a timer came.
func (g *generator) once(ctx context.Context, p *pump) {
	now, cpu := time.Now(), processorTime()
	share := 100 * float64(cpu-g.cpu) / float64(now.Sub(g.at)) / float64(runtime.GOMAXPROCS(0))
	g.cpu, g.at = cpu, now
	began := time.Now()
	time.Sleep(lookEvery)
	p.out, p.at = nil, now
	p.add(g.instruments.cpu, share)
	p.add(g.lateness, metrics.D(time.Since(began)-lookEvery))
	metrics.PushIfNotDone(ctx, p.state.Samples, metrics.Samples(p.out))
}

func processorTime() time.Duration {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// decodeStrictly takes no field that is not known: a misspelt one must not fall back to nothing.
func decodeStrictly(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}
