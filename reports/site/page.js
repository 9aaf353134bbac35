"use strict";

let meanings;
let sources;
let changesAsked = false;
let shownAs; // the filters that the matrix was last drawn for

function render() {
  const { cell: _, ...filters } = state;
  const key = address(filters);
  if (key !== shownAs) {
    shownAs = key;
    opened.clear();
    fillForm();
    renderMatrix();
    if (past) renderHistory();
  }
  renderCell().catch(fail);
  if (state.compare && !changesAsked) {
    changesAsked = true;
    load("changes-data").then((data) => {
      changes = data;
      shownAs = undefined;
      render();
    }, fail);
  }
  // The builds to compare may be past ones.
  if (state.compare && !past && !compared()) {
    withPast(() => {
      shownAs = undefined;
      render();
    });
  }
}

/** What went wrong, for the reader, where the count of checks stands. */
function fail(error) {
  document.getElementById("count").textContent = error.message;
}

function fillForm() {
  const form = document.getElementById("filters");
  for (const name of ["device", "path"]) form.elements[name].value = state[name] ?? "";
  // What is being typed stays as it is.
  if (form.elements.q !== document.activeElement) form.elements.q.value = state.q ?? "";
  const outcomes = (state.outcome ?? "").split(",");
  for (const box of form.querySelectorAll("[name=outcome]")) box.checked = outcomes.includes(box.value);
  const pair = compared();
  for (const [at, name] of ["before", "after"].entries()) {
    const select = form.elements[name];
    if (pair) select.value = pair[at].key;
    else if (!state.compare) select.value = "";
  }
}

function fillBuilds() {
  for (const name of ["before", "after"]) {
    const select = document.getElementById("filters").elements[name];
    const chosen = select.value;
    select.replaceChildren(el("option", { value: "" }, "–"), ...options(columns), earlier());
    select.value = chosen;
  }
}

function options(all) {
  return all.map(({ key, build, device, date, past: index }) =>
    el("option", { value: key }, `${build} ${device}${index === undefined ? "" : `, ${date}`}`));
}

function earlier() {
  const known = new Set(columns.map((column) => column.key));
  const found = pastColumns().filter((column) => !known.has(column.key) && known.add(column.key));
  return found.length ? el("optgroup", { label: "earlier" }, ...options(found)) : "";
}

function onFilter(event) {
  const form = event.currentTarget;
  const outcome = [...form.querySelectorAll("[name=outcome]:checked")].map((box) => box.value).join(",");
  const { device, path, q, before, after } = Object.fromEntries(new FormData(form));
  const compare = before && after ? `${before}..${after}` : undefined;
  go({ device, path, q, outcome, compare }, { replace: event.target.name === "q" });
}

async function withPast(then) {
  try {
    await loadPast();
    fillBuilds();
    then();
  } catch (error) {
    fail(error);
  }
}

function start(data) {
  meanings = data.meanings;
  sources = data.sources;
  readMatrix(data);
  fillBuilds();
  const form = document.getElementById("filters");
  form.addEventListener("input", onFilter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    form.elements.q.value = "";
    go({ device: "", path: "", outcome: "", q: "", compare: "" });
  });
  const table = document.getElementById("table");
  table.addEventListener("click", onMatrixClick);
  table.addEventListener("keydown", onMatrixKey);
  document.getElementById("cell").addEventListener("close", (event) => {
    // The event comes late: another cell may be open by then.
    if (state.cell && !event.target.open) go({ cell: "" });
  });
  // The past is large: it is loaded once somebody comes near it.
  const near = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    near.disconnect();
    withPast(renderHistory);
  });
  near.observe(document.getElementById("history"));
  for (const name of ["before", "after"]) {
    form.elements[name].addEventListener("focus", () => withPast(fillForm), { once: true });
  }
  render();
}

load("matrix-data").then(start, fail);
