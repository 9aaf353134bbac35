"use strict";

let meanings;
let sources;
let changesAsked = false;
let shownAs; // the filters that the matrix was last drawn for
const openAtFirst = new Set();

function render() {
  const { cell: _, at: __, open, ...filters } = state;
  const key = address({ ...filters, open: (open ?? "").split(",").filter(isProbe).join(",") });
  unfold();
  if (key !== shownAs) {
    shownAs = key;
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

function isProbe(name) {
  return probes.some((probe) => probe.name === name);
}

/** Fold and unfold as the address says; what filters stays in sight. */
function unfold() {
  for (const details of document.querySelectorAll("details[id]")) {
    const open = isUsed(details) || openAtFirst.has(details.id) !== isToggled(details.id);
    if (details.open !== open) details.open = open;
  }
}

function isUsed(details) {
  return (details.dataset.holds ?? "").split(" ").some((key) => state[key]);
}

function onFold({ target }) {
  if (target.tagName !== "DETAILS" || !target.id) return;
  reach();
  if (isUsed(target)) {
    unfold();
    return;
  }
  const byHand = target.open !== openAtFirst.has(target.id);
  if (byHand !== isToggled(target.id)) toggle(target.id);
}

/** What scrolls is reached by the keyboard, and nothing else that holds no control. */
function reach() {
  for (const box of document.querySelectorAll(".scroll")) {
    if (box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}

/** What went wrong, for the reader, where the count of checks stands. */
function fail(error) {
  document.getElementById("count").textContent = error.message;
}

function fillForm() {
  const form = document.getElementById("filters");
  for (const name of ["device", "subject", "path"]) form.elements[name].value = state[name] ?? "";
  // What is being typed stays as it is.
  if (form.elements.q !== document.activeElement) form.elements.q.value = state.q ?? "";
  for (const name of ["outcome", "only"]) {
    const chosen = (state[name] ?? "").split(",");
    for (const box of form.querySelectorAll(`[name=${name}]`)) box.checked = chosen.includes(box.value);
  }
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
  const fields = new FormData(form);
  const [outcome, only] = ["outcome", "only"].map((name) => fields.getAll(name).join(","));
  const { device, subject, path, q, before, after } = Object.fromEntries(fields);
  const compare = before && after ? `${before}..${after}` : undefined;
  go({ device, subject, path, q, outcome, only, compare, open: folds() }, { replace: event.target.name === "q" });
}

/** What was unfolded outside of the matrix: other filters leave other probes. */
function folds() {
  return (state.open ?? "").split(",").filter((name) => !isProbe(name)).join(",");
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
    go({ device: "", subject: "", path: "", outcome: "", only: "", q: "", compare: "", open: folds() });
  });
  const table = document.getElementById("table");
  table.addEventListener("click", onMatrixClick);
  table.addEventListener("keydown", onMatrixKey);
  table.addEventListener("focusin", (event) => event.target.tagName === "BUTTON" && rove(event.target));
  for (const details of document.querySelectorAll("details[id][open]")) openAtFirst.add(details.id);
  document.addEventListener("toggle", onFold, true);
  document.getElementById("cell").addEventListener("close", (event) => {
    // The event comes late: another cell may be open by then.
    if (state.cell && !event.target.open) go({ cell: "" });
  });
  // The past is large: it is loaded once somebody comes near it.
  const near = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    near.disconnect();
    withPast(() => {
      renderHistory();
      reach();
    });
  });
  near.observe(document.getElementById("history"));
  for (const name of ["before", "after"]) {
    form.elements[name].addEventListener("focus", () => withPast(fillForm), { once: true });
  }
  render();
  if (state.at) show(state.at);
  reach();
  addEventListener("resize", reach);
}

load("matrix-data").then(start, fail);
