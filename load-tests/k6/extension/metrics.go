package main

import (
	"context"
	"time"

	"go.k6.io/k6/v2/js/modules"
	"go.k6.io/k6/v2/lib"
	"go.k6.io/k6/v2/metrics"

	"veilcast/load-tests/k6/crowd"
	"veilcast/load-tests/k6/media"
)

// instruments are the metrics of the scenarios, by what they say (README.md).
type instruments struct {
	joined, packets, lost, repaired, frames, freezes, frozen, layers, said, ended, late *metrics.Metric
	joinOK, heard                                                                       *metrics.Metric
	handshake, join, firstPacket, reconnect, delay, keyDelay, message                   *metrics.Metric
	loss, missing, jitter, cpu, lateness                                                *metrics.Metric
	gap, rekey, rekeyed, excess                                                         *metrics.Metric
	peers, fault                                                                        *metrics.Metric
}

func newInstruments(vu modules.VU) (*instruments, error) {
	registry := vu.InitEnv().Registry
	var failed error
	of := func(name string, kind metrics.MetricType, what ...metrics.ValueType) *metrics.Metric {
		metric, err := registry.NewMetric("veilcast_"+name, kind, what...)
		if err != nil {
			failed = err
		}
		return metric
	}
	counter, trend := metrics.Counter, metrics.Trend
	i := &instruments{
		joined: of("joins", counter), joinOK: of("join_ok", metrics.Rate), peers: of("peers", metrics.Gauge),
		handshake: of("handshake", trend, metrics.Time), join: of("join", trend, metrics.Time),
		firstPacket: of("first_packet", trend, metrics.Time), reconnect: of("reconnect", trend, metrics.Time),
		packets: of("packets", counter), lost: of("packets_lost", counter), repaired: of("packets_repaired", counter),
		frames: of("frames", counter), freezes: of("freezes", counter), frozen: of("frozen_ms", counter),
		layers: of("layer_changes", counter), loss: of("loss_percent", trend), missing: of("missing_percent", trend), jitter: of("jitter", trend, metrics.Time),
		delay: of("delay", trend, metrics.Time), keyDelay: of("delay_key_frames", trend, metrics.Time),
		message: of("message", trend, metrics.Time), said: of("messages_said", counter), heard: of("messages_heard", metrics.Rate),
		ended: of("ended", counter), late: of("frames_late", counter), fault: of("fault", counter),
		gap: of("gap", trend, metrics.Time), rekey: of("rekey", trend, metrics.Time), rekeyed: of("rekeyed", metrics.Rate),
		excess: of("excess_consumers", trend),
		cpu:    of("generator_cpu_percent", trend), lateness: of("generator_late", trend, metrics.Time),
	}
	return i, failed
}

// pump hands what a crowd has measured to k6, once a second: counts as they grew, and durations by a bounded number of them that
// are spread as all are.
type pump struct {
	*instruments
	state *lib.State
	crowd *crowd.Crowd
	last  crowd.Now
	out   []metrics.Sample
	at    time.Time
}

// What is taken of a distribution in a second.
const samplesMax = 200

func (p *pump) once(ctx context.Context) {
	p.at, p.out = time.Now(), nil
	now, meter := p.crowd.Count(), p.crowd.Meter
	p.add(p.peers, float64(now.Peers))
	p.grown(p.packets, now.Came.Packets, p.last.Came.Packets)
	p.grown(p.lost, now.Came.Lost, p.last.Came.Lost)
	p.grown(p.repaired, now.Came.Repaired, p.last.Came.Repaired)
	p.grown(p.frames, now.Came.Frames, p.last.Came.Frames)
	p.grown(p.freezes, now.Came.Freezes, p.last.Came.Freezes)
	p.grown(p.frozen, now.Came.FrozenMs, p.last.Came.FrozenMs)
	p.grown(p.layers, now.Came.LayerChanges, p.last.Came.LayerChanges)
	p.grown(p.late, now.Sent.Late, p.last.Sent.Late)
	if now.Came.Packets > p.last.Came.Packets {
		came := float64(now.Came.Packets - p.last.Came.Packets)
		lost := float64(max(0, now.Came.Lost-p.last.Came.Lost))
		repaired := float64(max(0, now.Came.Repaired-p.last.Came.Repaired))
		p.add(p.loss, 100*lost/(came+lost))
		p.add(p.missing, 100*(lost+repaired)/(came+lost))
		p.add(p.jitter, now.Came.JitterMs)
	}
	p.last = now
	p.joins(meter)
	p.messages(meter)
	for metric, histogram := range map[*metrics.Metric]*media.Histogram{
		p.handshake: &meter.Handshake, p.join: &meter.Join, p.firstPacket: &meter.FirstPacket, p.reconnect: &meter.Reconnect,
		p.delay: &meter.Delays.Between, p.keyDelay: &meter.Delays.AtKeyFrames, p.message: &meter.Message,
		p.gap: &meter.Gap, p.rekey: &meter.Rekey,
	} {
		for _, duration := range histogram.Drain(samplesMax) {
			p.add(metric, metrics.D(duration))
		}
	}
	metrics.PushIfNotDone(ctx, p.state.Samples, metrics.Samples(p.out))
}

func (p *pump) joins(meter *crowd.Meter) {
	for joined := meter.Joins.Swap(0); joined > 0; joined-- {
		p.add(p.joined, 1)
		p.add(p.joinOK, 1)
	}
	for code, count := range meter.DrainRefusals() {
		for range count {
			p.tagged(p.joinOK, 0, code)
		}
	}
	for code, count := range meter.DrainEndings() {
		p.tagged(p.ended, float64(count), code)
	}
}

func (p *pump) messages(meter *crowd.Meter) {
	p.add(p.said, float64(meter.Said.Swap(0)))
}

// settled says how many messages were heard of those due, once nothing is under way.
func (p *pump) settled(ctx context.Context) {
	p.at, p.out = time.Now(), nil
	due, heard := p.crowd.Meter.Due.Swap(0), p.crowd.Meter.Heard.Swap(0)
	for ; due > 0; due-- {
		p.add(p.heard, float64(min(1, heard)))
		heard = max(0, heard-1)
	}
	metrics.PushIfNotDone(ctx, p.state.Samples, metrics.Samples(p.out))
}

func (p *pump) grown(metric *metrics.Metric, now, before int64) {
	// Counters never go back: what a repair takes from the lost shows at the end.
	if now > before {
		p.add(metric, float64(now-before))
	}
}

func (p *pump) add(metric *metrics.Metric, value float64) { p.tagged(metric, value, "") }

func (p *pump) tagged(metric *metrics.Metric, value float64, code string) {
	tags := p.state.Tags.GetCurrentValues().Tags
	if code != "" {
		tags = tags.With("code", code)
	}
	p.out = append(p.out, metrics.Sample{
		TimeSeries: metrics.TimeSeries{Metric: metric, Tags: tags}, Time: p.at, Value: value,
	})
}
