// Package call takes part in a Room as docs/e2ee/channel.md and packages/protocol have it: tokens, the sealed channel, requests,
// events, the Admission. It plays many people at once, so nothing here is kept that one person does not need.
package call

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"veilcast/load-tests/k6/channel"
	"veilcast/load-tests/k6/wire"
)

const (
	handshakeMax = 10 * time.Second
	answerMax    = 20 * time.Second
	// How often it is looked whether a fresh round is due.
	lookEvery = 30 * time.Second
)

// Refusal is an error that the server names.
type Refusal struct {
	Code    string `json:"code"`
	RetryMs int    `json:"retryMs"`
}

func (r *Refusal) Error() string { return r.Code }

// CodeOf is the stable code of an error; INTERNAL where it has none.
func CodeOf(err error) string {
	var refusal *Refusal
	if errors.As(err, &refusal) {
		return refusal.Code
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "DEADLINE"
	}
	code, _, found := strings.Cut(err.Error(), ":")
	if found && strings.ToUpper(code) == code {
		return code
	}
	return "INTERNAL"
}

// Event is what signaling tells. Body and parts hold as long as the listener runs.
type Event struct {
	Name  string
	Body  json.RawMessage
	Parts channel.Parts
	// At is when its record was read off the socket.
	At time.Time
}

type reply struct {
	result json.RawMessage
	parts  channel.Parts
	err    error
}

// Wire carries requests, answers and events over one sealed channel.
type Wire struct {
	line    *wire.Line
	onEvent func(Event)
	onLost  func(error)
	stop    context.CancelFunc

	// Closed when nothing more is read.
	done chan struct{}

	mutex   sync.Mutex
	channel *channel.Channel
	waiting map[int]chan reply
	lastID  int
	// Only the reader touches it, until it is done.
	lastSeq int
	lost    error
}

// Open opens a socket and the channel in it. `onEvent` is called by one goroutine at a time and must not wait for an answer;
// `onLost` at most once, and not after Close.
func Open(ctx context.Context, site *Site, device *Device, psk *channel.Psk, onEvent func(Event), onLost func(error)) (*Wire, error) {
	return openAfter(ctx, site, device, psk, onEvent, onLost, 0, 0)
}

// openAfter goes on counting requests and events where another Wire of the same Peer ended.
func openAfter(
	ctx context.Context, site *Site, device *Device, psk *channel.Psk, onEvent func(Event), onLost func(error), lastID, lastSeq int,
) (*Wire, error) {
	manifest, err := site.Manifest(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeMax)
	defer cancel()
	line, err := wire.Dial(ctx, site.Origin, site.Local)
	if err != nil {
		return nil, err
	}
	handshake, err := channel.NewHandshake(manifest, psk)
	if err != nil {
		line.Close()
		return nil, err
	}
	living, stop := context.WithCancel(context.Background())
	w := &Wire{line: line, onEvent: onEvent, onLost: onLost, stop: stop, waiting: map[int]chan reply{}, done: make(chan struct{}), lastID: lastID, lastSeq: lastSeq}
	opened := make(chan error, 1)
	go w.read(handshake, device, opened)
	if err = line.Send(handshake.M1()); err == nil {
		select {
		case err = <-opened:
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	if err != nil {
		stop()
		line.Close()
		return nil, err
	}
	go w.renew(living)
	return w, nil
}

// read takes everything that comes: m2 first, then records.
func (w *Wire) read(handshake *channel.Handshake, device *Device, opened chan<- error) {
	defer close(w.done)
	greeted := false
	err := w.line.Read(func(record []byte, at time.Time) error {
		if greeted {
			return w.take(record, at)
		}
		m3, made, err := handshake.Receive(record, device.key)
		if err != nil {
			return err
		}
		greeted = true
		w.mutex.Lock()
		w.channel = made
		w.mutex.Unlock()
		if err := w.line.Send(m3); err != nil {
			return err
		}
		opened <- nil
		return nil
	})
	if !greeted {
		opened <- err
		return
	}
	w.lose(fmt.Errorf("DISCONNECTED: %w", err))
}

func (w *Wire) take(record []byte, at time.Time) error {
	w.mutex.Lock()
	opened, err := w.channel.Open(record, at)
	if err == nil {
		err = w.send(opened.Reply)
	}
	w.mutex.Unlock()
	if err != nil || opened.Message == nil {
		return err
	}
	text, parts, err := channel.SplitContent(opened.Message)
	if err != nil {
		return err
	}
	var said struct {
		Re     *int
		Answer struct {
			OK     bool
			Result json.RawMessage
			Error  *Refusal
		}
		Seq  int
		Name string
		Body json.RawMessage
	}
	if err := json.Unmarshal(text, &said); err != nil {
		return fmt.Errorf("MALFORMED: %w", err)
	}
	if said.Re != nil {
		w.answered(*said.Re, said.Answer.OK, said.Answer.Result, said.Answer.Error, parts)
		return nil
	}
	w.lastSeq++
	if !opened.Shared && said.Seq != w.lastSeq {
		return fmt.Errorf("DISCONNECTED: event %d came after %d", said.Seq, w.lastSeq-1)
	}
	if w.onEvent != nil {
		w.onEvent(Event{Name: said.Name, Body: said.Body, Parts: parts, At: at})
	}
	return nil
}

func (w *Wire) answered(re int, ok bool, result json.RawMessage, refusal *Refusal, parts channel.Parts) {
	w.mutex.Lock()
	waiting := w.waiting[re]
	delete(w.waiting, re)
	w.mutex.Unlock()
	if waiting == nil {
		return
	}
	answer := reply{result: result, parts: parts.Clone()}
	if !ok {
		if refusal == nil {
			refusal = &Refusal{Code: "MALFORMED"}
		}
		answer.err = refusal
	}
	waiting <- answer
}

// Request asks and waits for the answer. `body` is made once its parts can be named.
func (w *Wire) Request(ctx context.Context, name string, body func(*channel.Parts) any) (json.RawMessage, channel.Parts, error) {
	ctx, cancel := context.WithTimeout(ctx, answerMax)
	defer cancel()
	answer, id, err := w.ask(name, body)
	if err != nil {
		return nil, channel.Parts{}, err
	}
	select {
	case got := <-answer:
		return got.result, got.parts, got.err
	case <-ctx.Done():
		w.mutex.Lock()
		delete(w.waiting, id)
		w.mutex.Unlock()
		return nil, channel.Parts{}, ctx.Err()
	}
}

func (w *Wire) ask(name string, body func(*channel.Parts) any) (<-chan reply, int, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.lost != nil {
		return nil, 0, w.lost
	}
	var parts channel.Parts
	w.lastID++
	content, err := channel.EncodeContent(map[string]any{"id": w.lastID, "name": name, "body": body(&parts)}, &parts)
	if err != nil {
		return nil, 0, err
	}
	answer := make(chan reply, 1)
	w.waiting[w.lastID] = answer
	return answer, w.lastID, w.send(w.channel.Seal(content, time.Now()))
}

// send keeps the order in which the records were sealed: it is called with the mutex held.
func (w *Wire) send(records [][]byte) error {
	for _, record := range records {
		if err := w.line.Send(record); err != nil {
			return fmt.Errorf("DISCONNECTED: %w", err)
		}
	}
	return nil
}

func (w *Wire) renew(ctx context.Context) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			w.mutex.Lock()
			records, err := w.channel.Fresh(now)
			if err == nil {
				err = w.send(records)
			}
			w.mutex.Unlock()
			if err != nil {
				w.line.Close()
				return
			}
		}
	}
}

// left is what the next channel of the same Peer goes on from, once nothing more is read here.
func (w *Wire) left() (psk channel.Psk, others []string, lastID, lastSeq int) {
	<-w.done
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.channel.Psk(), w.channel.Others(), w.lastID, w.lastSeq
}

func (w *Wire) broken() error {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.lost
}

// Cut breaks the socket, as a dead network does: its loss is told.
func (w *Wire) Cut() { w.line.Close() }

// Close ends the socket; nobody is told.
func (w *Wire) Close() {
	w.end(errors.New("CLOSED: by us"))
}

func (w *Wire) lose(err error) {
	if w.end(err) && w.onLost != nil {
		w.onLost(err)
	}
}

func (w *Wire) end(err error) bool {
	w.mutex.Lock()
	first := w.lost == nil
	if first {
		w.lost = err
	}
	waiting := w.waiting
	w.waiting = map[int]chan reply{}
	w.mutex.Unlock()
	for _, one := range waiting {
		one <- reply{err: err}
	}
	if first {
		w.stop()
		w.line.Close()
	}
	return first
}
