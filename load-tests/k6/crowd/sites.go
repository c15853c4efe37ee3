package crowd

import (
	"fmt"
	"net"
	"net/url"
	"sync"

	"veilcast/load-tests/k6/call"
)

// Target is the cluster that is put under load.
type Target struct {
	// Origin, e.g. http://127.0.0.1:7800.
	Origin string `json:"origin"`
	// Pin of the manifest's root, hexadecimal; empty: the first that is shown.
	Pin string `json:"pin"`
	// KeyID and Secret of an API key; empty: the development policy gives tokens.
	KeyID  string `json:"keyId"`
	Secret string `json:"secret"`
	// Sources: how many addresses of 127.0.0.0/8 to come from, since signaling's budgets count by address. Loopback alone.
	Sources int `json:"sources"`
}

// sites are one for each address to come from.
type sites struct {
	origin string
	mutex  sync.Mutex
	all    []*call.Site
	next   int
}

func newSites(t Target) (*sites, error) {
	at, err := url.Parse(call.Loopback(t.Origin))
	if err != nil || at.Host == "" {
		return nil, fmt.Errorf("MALFORMED: no origin: %q", t.Origin)
	}
	isLoopback := net.ParseIP(at.Hostname()).IsLoopback()
	count := t.Sources
	if !isLoopback || count < 1 {
		count = 1
	}
	s := &sites{origin: at.String()}
	for index := range count {
		site := &call.Site{Origin: at.String(), KeyID: t.KeyID, Secret: t.Secret}
		if isLoopback && count > 1 {
			site.Local = net.IPv4(127, 1, byte(index/250), byte(1+index%250))
		}
		if t.Pin != "" {
			if err := site.Pinned(t.Pin); err != nil {
				return nil, err
			}
		}
		s.all = append(s.all, site)
	}
	return s, nil
}

func (s *sites) one() *call.Site {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.next++
	return s.all[s.next%len(s.all)]
}
