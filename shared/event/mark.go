package event

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Mark names an event of an object in few bytes, for the object's own item to carry: "<version>/<type>/<milliseconds>",
// the version and the time being those of the write that the event tells of. The empty mark names none.
type Mark string

// MarkOf is the mark of the last event that a write stands for, or the one that it carries where it stands for none.
func MarkOf(version int64, at time.Time, types []string, carried Mark) Mark {
	if len(types) == 0 {
		return carried
	}
	return Mark(fmt.Sprintf("%d/%s/%d", version, types[len(types)-1], at.UnixMilli()))
}

// After is the origin of what tells of the same object after the event that is named.
func (o Origin) After(m Mark) (Origin, error) {
	if m == "" {
		return o, nil
	}
	before, t, err := o.Marked(m)
	if err == nil {
		o.Previous = before.Name(t)
	}
	return o, err
}

// Marked is the origin of the event that a mark names, and its type. The mark is one that this origin's write carries.
func (o Origin) Marked(m Mark) (Origin, Type, error) {
	parts := strings.Split(string(m), "/")
	if len(parts) != 3 {
		return o, "", fmt.Errorf("event: %q is no mark of an event", m)
	}
	version, err := strconv.ParseInt(parts[0], 10, 64)
	millis, err2 := strconv.ParseInt(parts[2], 10, 64)
	if err != nil || err2 != nil || version < 1 || version >= o.Version || millis < 0 || !Known(Type(parts[1])) {
		return o, "", fmt.Errorf("event: %q is no mark of an event before version %d", m, o.Version)
	}
	o.Version, o.At, o.Previous = version, time.UnixMilli(millis).UTC(), ""
	return o, Type(parts[1]), nil
}

// Chain makes the events of the types that a write stands for, each naming the one before it.
func Chain(o Origin, types []Type, data any) ([]Event, error) {
	var all []Event
	for _, t := range types {
		e, err := Derived(o, t, data)
		if err != nil {
			return nil, err
		}
		all, o.Previous = append(all, e), e.ID
	}
	return all, nil
}
