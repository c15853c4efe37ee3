package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/grafana/sobek"
	"go.k6.io/k6/v2/js/common"
	"go.k6.io/k6/v2/js/modules"
	"go.k6.io/k6/v2/metrics"

	"veilcast/load-tests/k6/crowd"
)

type module struct{}

// NewModuleInstance is called once for each VU.
func (*module) NewModuleInstance(vu modules.VU) modules.Instance {
	instruments, err := newInstruments(vu)
	if err != nil {
		common.Throw(vu.Runtime(), err)
	}
	return &instance{vu: vu, instruments: instruments}
}

type instance struct {
	vu          modules.VU
	instruments *instruments
}

// Exports: `openCrowd(target)`.
func (i *instance) Exports() modules.Exports {
	return modules.Exports{Named: map[string]any{"openCrowd": i.openCrowd}}
}

// openCrowd makes a crowd that is this VU's: it is measured each second, and goes when the VU is stopped.
func (i *instance) openCrowd(target sobek.Value) *played {
	runtime := i.vu.Runtime()
	if i.vu.State() == nil {
		common.Throw(runtime, errors.New("a crowd is opened in a scenario's function"))
	}
	var wanted crowd.Target
	if err := asJSON(runtime, target, &wanted); err != nil {
		common.Throw(runtime, err)
	}
	opened, err := crowd.New(wanted)
	if err != nil {
		common.Throw(runtime, err)
	}
	p := &played{
		instance: i, crowd: opened, stop: make(chan struct{}), stopped: make(chan struct{}),
		pump: &pump{instruments: i.instruments, state: i.vu.State(), crowd: opened},
	}
	go p.measure(i.vu.Context())
	return p
}

// played is a crowd as a scenario sees it. Its methods block the VU, and return early when k6 stops.
type played struct {
	*instance
	crowd         *crowd.Crowd
	pump          *pump
	stop, stopped chan struct{}
}

func (p *played) measure(ctx context.Context) {
	defer close(p.stopped)
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	generator := newGenerator(p.instruments)
	for {
		select {
		case <-p.stop:
			p.pump.once(ctx)
			p.pump.settled(ctx)
			return
		case <-ticker.C:
			p.pump.once(ctx)
			generator.once(ctx, p.pump)
		}
	}
}

// Join brings in a group, and says how many got in.
func (p *played) Join(group sobek.Value) int {
	var wanted crowd.Group
	if err := asJSON(p.vu.Runtime(), group, &wanted); err != nil {
		common.Throw(p.vu.Runtime(), err)
	}
	return p.crowd.Join(p.vu.Context(), wanted)
}

// Stay waits so many seconds, less where k6 stops.
func (p *played) Stay(seconds float64) {
	select {
	case <-p.vu.Context().Done():
	case <-time.After(time.Duration(seconds * float64(time.Second))):
	}
}

// Leave lets so many go.
func (p *played) Leave(count int) { p.crowd.Leave(count) }

// Say lets one of each Room speak to all the others there.
func (p *played) Say() int { return p.crowd.Say(p.vu.Context()) }

// Reconnect cuts everybody off at once and lets them come back; it says how many did.
func (p *played) Reconnect() int { return p.crowd.Reconnect(p.vu.Context()) }

// Rekey lets one of each Room leave, and waits until all who stay have the next key; it says in how many Rooms they have.
func (p *played) Rekey() int {
	done, rooms := p.crowd.Rekey(p.vu.Context())
	p.once(func(sample func(*metrics.Metric, float64, string)) {
		for room := range rooms {
			rekeyed := 0.0
			if room < done {
				rekeyed = 1
			}
			sample(p.instruments.rekeyed, rekeyed, "")
		}
	})
	return done
}

// Fault asks whoever started this run to let something happen to its cluster: "kill signaling-1", "hang us".
func (p *played) Fault(what string) {
	p.once(func(sample func(*metrics.Metric, float64, string)) { sample(p.instruments.fault, 1, what) })
}

// Excess waits until the cluster holds no more Consumers than this crowd has reason for, and measures how many more they are.
func (p *played) Excess(seconds float64) int {
	excess, err := p.crowd.Excess(p.vu.Context(), time.Duration(seconds*float64(time.Second)))
	if err != nil {
		common.Throw(p.vu.Runtime(), err)
	}
	p.once(func(sample func(*metrics.Metric, float64, string)) {
		sample(p.instruments.excess, float64(excess), "")
	})
	return excess
}

// once tells k6 something outside of the second's rhythm.
func (p *played) once(say func(sample func(metric *metrics.Metric, value float64, code string))) {
	own := &pump{instruments: p.instruments, state: p.pump.state, at: time.Now()}
	say(own.tagged)
	metrics.PushIfNotDone(p.vu.Context(), own.state.Samples, metrics.Samples(own.out))
}

// AwaitKeys waits until so many have a place in their groups, and says how many have.
func (p *played) AwaitKeys(count int, seconds float64) int {
	deadline := time.Now().Add(time.Duration(seconds * float64(time.Second)))
	for p.crowd.Keyed() < count && time.Now().Before(deadline) && p.vu.Context().Err() == nil {
		time.Sleep(50 * time.Millisecond)
	}
	return p.crowd.Keyed()
}

// Count says who is here and what has come.
func (p *played) Count() crowd.Now { return p.crowd.Count() }

// Close lets everybody go. It must be called: a scenario leaves nothing behind.
func (p *played) Close() {
	p.crowd.Close()
	close(p.stop)
	<-p.stopped
}

// asJSON reads a value of the script's as what it would be on a wire.
func asJSON(runtime *sobek.Runtime, value sobek.Value, into any) error {
	text, err := runtime.ToValue(value).ToObject(runtime).MarshalJSON()
	if err != nil {
		return err
	}
	if err := decodeStrictly(text, into); err != nil {
		return fmt.Errorf("MALFORMED: %w", err)
	}
	return nil
}
