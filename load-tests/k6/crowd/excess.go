package crowd

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// held is what the cluster says that it holds (/metrics), whether a Node knows of it or not.
type held struct{ producers, consumers int }

// heldBy asks the cluster.
func heldBy(ctx context.Context, origin string) (all held, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, origin+"/metrics", nil)
	if err != nil {
		return all, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return all, fmt.Errorf("DISCONNECTED: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return all, fmt.Errorf("NOT_FOUND: the cluster shows no figures")
	}
	lines := bufio.NewScanner(io.LimitReader(response.Body, 4<<20))
	for lines.Scan() {
		all.add(lines.Text())
	}
	return all, lines.Err()
}

func (h *held) add(line string) {
	count, err := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64)
	if err != nil {
		return
	}
	switch name, _, _ := strings.Cut(strings.SplitN(line, " ", 2)[0], "{"); name {
	case "veilcast_media_producers":
		h.producers += int(count)
	case "veilcast_media_consumers":
		h.consumers += int(count)
	}
}

// What closes takes a moment, and what leaks may come a moment late: it is enough when so many looks in a row find nothing.
const (
	excessEvery = 400 * time.Millisecond
	cleanLooks  = 3
)

// Excess is how many Consumers the cluster holds more than this crowd has reason for, now that nobody comes or goes: each stream that is
// watched, and one into a Pipe for each Producer behind it. It is looked again until there are none, or the time is over. Of a cluster
// whose services are one process, and that serves this crowd alone.
func (c *Crowd) Excess(ctx context.Context, patience time.Duration) (excess int, err error) {
	clean := 0
	for until := time.Now().Add(patience); ; {
		now, err := heldBy(ctx, c.sites.origin)
		if err != nil {
			return 0, err
		}
		count := c.Count()
		piped := max(0, now.producers-c.published())
		excess = now.consumers - count.Came.Streams - piped
		if clean++; excess > 0 {
			clean = 0
		}
		if clean == cleanLooks || time.Now().After(until) || ctx.Err() != nil {
			return max(0, excess), nil
		}
		sleepUntil(ctx, time.Now().Add(excessEvery))
	}
}

func (c *Crowd) published() (producers int) {
	for _, p := range c.list() {
		p.mutex.Lock()
		producers += len(p.publishers)
		p.mutex.Unlock()
	}
	return producers
}
