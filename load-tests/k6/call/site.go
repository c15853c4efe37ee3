package call

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"veilcast/load-tests/k6/channel"
)

// Site is a cluster as its clients see it.
type Site struct {
	// Origin, e.g. http://127.0.0.1:7800.
	Origin string
	// KeyID and Secret of an API key: tokens are made here, as a customer's backend does. Empty: the development policy is asked.
	KeyID, Secret string
	// Local is the address to come from; nil: any. Budgets count by address.
	Local net.IP

	once     sync.Mutex
	manifest *channel.Manifest
	pin      []byte
	others   map[string]*Site
}

// At is another process of the same cluster, under the same root.
func (s *Site) At(origin string) *Site {
	origin = Loopback(origin)
	s.once.Lock()
	defer s.once.Unlock()
	if origin == s.Origin {
		return s
	}
	if s.others == nil {
		s.others = map[string]*Site{}
	}
	if s.others[origin] == nil {
		s.others[origin] = &Site{Origin: origin, KeyID: s.KeyID, Secret: s.Secret, Local: s.Local, pin: s.pin}
	}
	return s.others[origin]
}

// Loopback names localhost by its IPv4 address, so that an address to come from fits.
func Loopback(origin string) string {
	at, err := url.Parse(origin)
	if err != nil || at.Hostname() != "localhost" {
		return origin
	}
	at.Host = net.JoinHostPort("127.0.0.1", at.Port())
	return at.String()
}

// Pinned holds the site to a root: SHA-256, hexadecimal digits. Unpinned, the first root that it shows is believed.
func (s *Site) Pinned(pin string) (err error) {
	s.pin, err = hex.DecodeString(pin)
	return err
}

func (s *Site) client() *http.Client {
	dialer := &net.Dialer{}
	if s.Local != nil {
		dialer.LocalAddr = &net.TCPAddr{IP: s.Local}
	}
	return &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}}
}

// Manifest fetches and checks the servers' manifest, once.
func (s *Site) Manifest(ctx context.Context) (*channel.Manifest, error) {
	s.once.Lock()
	defer s.once.Unlock()
	if s.manifest != nil {
		return s.manifest, nil
	}
	document, err := s.fetch(ctx, http.MethodGet, "/api/manifest", nil)
	if err != nil {
		return nil, err
	}
	if s.pin == nil {
		if s.pin, err = channel.PinOf(document); err != nil {
			return nil, err
		}
	}
	s.manifest, err = channel.OpenManifest(document, s.pin, time.Now())
	return s.manifest, err
}

// Token gives a join token for a new Participant.
func (s *Site) Token(ctx context.Context, room, role string) (string, error) {
	if s.KeyID != "" {
		return s.issue(room, role)
	}
	body, err := json.Marshal(map[string]string{"room": room, "role": role})
	if err != nil {
		return "", err
	}
	answer, err := s.fetch(ctx, http.MethodPost, "/api/token", body)
	if err != nil {
		return "", err
	}
	var issued struct{ Token string }
	if err := json.Unmarshal(answer, &issued); err != nil || issued.Token == "" {
		return "", errors.New("UNAUTHORIZED: no token came")
	}
	return issued.Token, nil
}

// issue signs a token with the API key: HS256, as packages/cli does.
func (s *Site) issue(room, role string) (string, error) {
	header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`))
	payload, err := json.Marshal(map[string]any{
		"room": room, "role": role, "iss": s.KeyID, "sub": "part_" + name(), "jti": name(),
		"exp": time.Now().Add(15 * time.Minute).Unix(),
	})
	if err != nil {
		return "", err
	}
	signed := header + "." + base64.RawURLEncoding.EncodeToString(payload)
	mac := hmac.New(sha256.New, []byte(s.Secret))
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)), nil
}

func name() string {
	bytes := make([]byte, 12)
	rand.Read(bytes)
	return hex.EncodeToString(bytes)
}

func (s *Site) fetch(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, s.Origin+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != nil {
		request.Header.Set("content-type", "application/json")
	}
	response, err := s.client().Do(request)
	if err != nil {
		return nil, fmt.Errorf("DISCONNECTED: %w", err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("DISCONNECTED: %w", err)
	}
	if response.StatusCode == http.StatusOK {
		return answer, nil
	}
	var refused struct{ Error Refusal }
	if json.Unmarshal(answer, &refused) == nil && refused.Error.Code != "" {
		return nil, &refused.Error
	}
	return nil, fmt.Errorf("INTERNAL: HTTP %d", response.StatusCode)
}
