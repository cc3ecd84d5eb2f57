package proof_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"farrier/proof"
	"farrier/shared/callback/journal"
	"farrier/shared/dynamo"
)

// mostOfTheJournal is what a callback's line in the journal may cost where a hundred come within the batching window.
const mostOfTheJournal = 0.1

// TestCostOfTheJournal counts what listing callbacks by time costs beside the callback's own write. It is shared by all
// callbacks of a connection that come within a minute, so it depends on how many there are: alone, each is one write unit.
func TestCostOfTheJournal(t *testing.T) {
	a, tables := account(t)
	h := proof.NewHistory(t, a, tables)
	j := journal.Journal{Table: dynamo.Table{Client: dynamodb.NewFromConfig(a.Config("journal")), Name: tables["journal"]}, Now: a.Now}
	var b strings.Builder
	b.WriteString("| callbacks of a connection within a minute | write units of its journal | for each |\n| ---: | ---: | ---: |\n")
	for _, n := range []int{1, 10, 100, 500} {
		for i := range n {
			h.Callback(h.Provider.Mined(fmt.Sprintf("evt-%d-%d", n, i), ""))
		}
		a.Forget()
		for shard := range 2 { // of the table's stream, which lays a connection's callbacks in both
			records := a.Records("callbacks", "journal", shard)
			for _, err := range j.Handle(context.Background(), records) {
				if err != nil {
					t.Fatal(err)
				}
			}
			a.Pass("callbacks", "journal", shard, a.Position("callbacks", "journal", shard)+len(records))
		}
		units, _ := sum(a.Calls())
		fmt.Fprintf(&b, "| %d | %.0f | %.3f |\n", n, units, units/float64(n))
		if n >= 100 && units/float64(n) > mostOfTheJournal {
			t.Errorf("%d callbacks: %.0f write units", n, units)
		}
	}
	t.Log("\nThe journal, beside the callbacks' own writes:\n\n" + b.String())
}
