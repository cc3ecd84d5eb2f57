package callback

import (
	"context"
	"errors"
	"time"

	"farrier/shared/dynamo"
	"farrier/shared/problem"
)

// Care is how long a connection's callbacks are kept and when somebody is told that none come, whatever the provider.
type Care struct {
	KeepDays   int `json:"keep_days,omitempty" minimum:"1" maximum:"3650" doc:"how many days a callback is kept from when it comes; without it as many as the deployment says" dynamodbav:"keep_days,omitempty"`
	QuietAfter int `json:"quiet_after,omitempty" minimum:"300" maximum:"2592000" doc:"seconds without a callback after which an alarm is raised; without it none is" dynamodbav:"quiet_after,omitempty"`
}

const (
	mostDays   = 3650
	leastQuiet = 300
	mostQuiet  = 30 * 24 * 60 * 60
)

func (c Care) check() error {
	switch {
	case c.KeepDays != 0 && (c.KeepDays < 1 || c.KeepDays > mostDays):
		return problem.Field("keep_days", "must be from 1 to 3650")
	case c.QuietAfter != 0 && (c.QuietAfter < leastQuiet || c.QuietAfter > mostQuiet):
		return problem.Field("quiet_after", "must be from 300 to 2592000 seconds")
	}
	return nil
}

// keepFor is how long a callback is kept, where the connection says so.
func (c Care) keepFor() time.Duration { return time.Duration(c.KeepDays) * 24 * time.Hour }

// quiet is how long a connection may say nothing.
func (c Care) quiet() time.Duration { return time.Duration(c.QuietAfter) * time.Second }

// watchedFrom is the connection as it is watched. Its time begins anew where it was not watched before, or for another time.
func (c Connection) watchedFrom(now time.Time, before Connection) Connection {
	switch {
	case c.Disabled || c.QuietAfter == 0:
		c.WatchedSince = time.Time{}
	case !before.watched() || before.QuietAfter != c.QuietAfter:
		c.WatchedSince = now
	}
	return c
}

func (c Connection) watched() bool { return !c.WatchedSince.IsZero() }

// watchList is the partition of the names of all connections that are or were watched. A second index would be more than
// one deployment can add to a table
// (https://docs.aws.amazon.com/sdk-for-kotlin/api/latest/dynamodb/aws.sdk.kotlin.services.dynamodb.model/-update-table-request/,
// "only one global secondary index per UpdateTable operation", read 2026-11-24).
const watchList = "watched"

// watch puts a connection that begins to be watched on the list, before it is written: a name too many does nothing.
func (c Connections) watch(ctx context.Context, conn, before Connection) error {
	if !conn.watched() || before.watched() {
		return nil
	}
	return c.list(ctx, listed{PK: watchList, SK: conn.ID})
}

// list writes a name, unless it is there.
func (c Connections) list(ctx context.Context, name listed) error {
	err := c.Table.Create(ctx, name)
	var there *dynamo.ExistsError
	if errors.As(err, &there) {
		return nil
	}
	return err
}

// WatchList are the ids of all connections that are or were watched.
func (c Connections) WatchList(ctx context.Context) (ids []string, err error) {
	err = c.Table.Each(ctx, dynamo.Query{PK: watchList}, func(stored dynamo.Item) error {
		var name listed
		err := dynamo.Unmarshal(stored, &name)
		ids = append(ids, name.SK)
		return err
	})
	return ids, err
}

// listed is a connection's name on a list.
type listed struct {
	PK string `dynamodbav:"pk"`
	SK string `dynamodbav:"sk"`
}

// Quiet says whether nothing has come for longer than the connection may be quiet. The latest is the time of the last
// callback that is known, and behind is how far behind that knowledge may be.
func (c Connection) Quiet(latest, now time.Time, behind time.Duration) bool {
	return c.watched() && now.After(c.QuietFrom(latest, behind))
}

// QuietFrom is when the connection becomes quiet unless something comes.
func (c Connection) QuietFrom(latest time.Time, behind time.Duration) time.Time {
	if latest.Before(c.WatchedSince) {
		latest = c.WatchedSince
	}
	return latest.Add(c.quiet() + behind)
}
