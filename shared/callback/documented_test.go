package callback

import (
	"os"
	"strings"
	"testing"
)

// The table of docs/sources.md has a row for each source, and says what its connections may be trusted with.
func TestEverySourceIsDocumented(t *testing.T) {
	document, err := os.ReadFile("../../docs/sources.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string][]string{}
	for line := range strings.SplitSeq(string(document), "\n") {
		if name, rest, found := strings.Cut(strings.TrimPrefix(line, "| `"), "` |"); found && strings.HasPrefix(line, "| `") {
			rows[name] = strings.Split(rest, " | ")
		}
	}
	for _, name := range Providers() {
		row, found := rows[name]
		if !found || len(row) != 5 {
			t.Errorf("docs/sources.md has no row of %s, or not one of six cells", name)
			continue
		}
		if want := "`" + strings.ReplaceAll(sources[name].trustNames(), ", ", "`, `") + "`"; row[2] != want {
			t.Errorf("docs/sources.md: the trusts of %s are %s, and the table has %s", name, want, row[2])
		}
		for i, cell := range row {
			if strings.Trim(cell, " |") == "" {
				t.Errorf("docs/sources.md: cell %d of %s is empty", i+2, name)
			}
		}
	}
}
