// crowd plays a crowd for a bench: asked in JSON lines on stdin, answers in JSON lines on stdout, and everybody leaves when stdin ends.
// The same crowd as in k6 (extension/), without k6: its own processor time is the crowd's alone.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"veilcast/load-tests/k6/crowd"
)

type question struct {
	ID   int             `json:"id"`
	Op   string          `json:"op"`
	Args json.RawMessage `json:"args"`
}

type answer struct {
	ID     int    `json:"id"`
	Result any    `json:"result,omitempty"`
	Error  string `json:"error,omitempty"`
}

type desk struct {
	crowd   *crowd.Crowd
	writing sync.Mutex
	out     *json.Encoder
}

func main() {
	d := &desk{out: json.NewEncoder(os.Stdout)}
	ctx, cancel := context.WithCancel(context.Background())
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var q question
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			fmt.Fprintln(os.Stderr, "no question:", err)
			os.Exit(2)
		}
		// In turn: a bench asks for one thing after the other.
		d.reply(ctx, q)
	}
	cancel()
	if d.crowd != nil {
		d.crowd.Close()
	}
}

func (d *desk) reply(ctx context.Context, q question) {
	result, err := d.serve(ctx, q)
	a := answer{ID: q.ID, Result: result}
	if err != nil {
		a.Error = err.Error()
	}
	d.writing.Lock()
	defer d.writing.Unlock()
	if d.out.Encode(a) != nil {
		os.Exit(1)
	}
}

func (d *desk) serve(ctx context.Context, q question) (any, error) {
	if q.Op == "open" {
		var target crowd.Target
		if err := json.Unmarshal(q.Args, &target); err != nil {
			return nil, err
		}
		opened, err := crowd.New(target)
		d.crowd = opened
		return true, err
	}
	if d.crowd == nil {
		return nil, fmt.Errorf("nothing is open")
	}
	switch q.Op {
	case "join":
		var group crowd.Group
		if err := json.Unmarshal(q.Args, &group); err != nil {
			return nil, err
		}
		return d.crowd.Join(ctx, group), nil
	case "leave":
		var args struct{ Count int }
		if err := json.Unmarshal(q.Args, &args); err != nil {
			return nil, err
		}
		d.crowd.Leave(args.Count)
		return true, nil
	case "say":
		return d.crowd.Say(ctx), nil
	case "reconnect":
		return d.crowd.Reconnect(ctx), nil
	case "rekey":
		done, rooms := d.crowd.Rekey(ctx)
		return map[string]int{"done": done, "rooms": rooms}, nil
	case "excess":
		var args struct{ Seconds float64 }
		if err := json.Unmarshal(q.Args, &args); err != nil {
			return nil, err
		}
		return d.crowd.Excess(ctx, time.Duration(args.Seconds*float64(time.Second)))
	case "forget":
		d.crowd.Meter.Forget()
		return true, nil
	case "count":
		return d.crowd.Count(), nil
	case "report":
		return d.crowd.Meter.Report(), nil
	case "cpu":
		return cpuNs()
	}
	return nil, fmt.Errorf("no such question: %s", q.Op)
}

// cpuNs is this process's processor time so far.
func cpuNs() (int64, error) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0, err
	}
	return usage.Utime.Nano() + usage.Stime.Nano(), nil
}
