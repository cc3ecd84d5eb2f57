package parts

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Judge asks a program in another language: it gives it what is asked as JSON and reads its answer into out. The program
// lies beside the test, in testdata; the package of npm or of PyPI that it judges by is one of the local run's.
func Judge(t testing.TB, program, by string, asked, out any) {
	t.Helper()
	local := filepath.Join(root(t), ".local")
	var run *exec.Cmd
	var needs string
	if filepath.Ext(program) == ".py" {
		python := filepath.Join(local, "venv", "bin", "python")
		needs = filepath.Join(local, "venv", "lib", "python3*", "site-packages", by)
		run = exec.Command(python, filepath.Join("testdata", program)) // #nosec G204 -- a test's own program
	} else {
		modules := filepath.Join(local, "npm", "node_modules")
		needs = filepath.Join(modules, by)
		run = exec.Command("node", filepath.Join("testdata", program)) // #nosec G204 -- a test's own program
		run.Env = append(os.Environ(), "NODE_PATH="+modules)
	}
	if found, err := filepath.Glob(needs); err != nil || len(found) == 0 {
		t.Skipf("the judge %s is not installed: run it by `make test`", by)
	}
	text, err := json.Marshal(asked)
	if err != nil {
		t.Fatal(err)
	}
	var complaint bytes.Buffer
	run.Stdin, run.Stderr = bytes.NewReader(text), &complaint
	said, err := run.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", program, err, &complaint)
	}
	if err := json.Unmarshal(said, out); err != nil {
		t.Fatalf("%s says %s: %v", program, said, err)
	}
}

// root is the repository's folder.
func root(t testing.TB) string {
	t.Helper()
	at, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return at
		}
		if at == filepath.Dir(at) {
			t.Fatal("there is no go.mod above the test")
		}
	}
}
