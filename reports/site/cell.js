"use strict";

/** Open what state.cell names, or close what is open. */
async function renderCell() {
  const dialog = document.getElementById("cell");
  const id = state.cell;
  if (!id) {
    if (dialog.open) dialog.close();
    return;
  }
  if (dialog.dataset.id === id && dialog.open) return;
  dialog.dataset.id = id;
  const close = el("button", { type: "button", class: "close", "aria-label": "Close" }, "×");
  close.addEventListener("click", () => dialog.close());
  const body = el("div", { class: "body" });
  dialog.replaceChildren(close, body);
  if (!dialog.open) dialog.showModal();
  const found = cells.get(id) ?? (await pastCell(id));
  if (state.cell !== id) return;
  body.replaceChildren(...(found ? about(id, found) : unknown(id)));
  if (!found) return;
  const { check, column } = found;
  if (column.past === undefined) {
    const details = await load(`cells/${check.number}`);
    body.querySelector(".details").replaceChildren(...known(details[check.row][column.index]));
  }
  await loadPast();
  body.querySelector(".past").replaceChildren(...cellHistory(check.id, column));
}

/** A cell that only the history knows. */
async function pastCell(id) {
  await loadPast();
  for (const column of pastColumns()) {
    if (!id.endsWith(`@${column.key}`)) continue;
    const check = past.checks.get(id.slice(0, -column.key.length - 1));
    if (check && column.letter(check) !== ABSENT) return { check, column };
  }
  return undefined;
}

function unknown(id) {
  return [el("h2", { id: "cell-title" }, "No such cell"), el("p", {}, el("code", {}, id), " is not in this report.")];
}

function about(id, { check, column }) {
  const outcome = letters[column.letter(check)];
  return [
    el("h2", { id: "cell-title" }, check.id),
    el("p", { class: "where" }, `${column.build} on ${column.device}`, column.version ? ` (${column.version})` : ""),
    el("p", { class: `verdict is-${outcome}` },
      glyph(outcome), el("strong", {}, ` ${outcome}`), `: ${meanings[outcome]}`),
    check.probe ? el("p", { class: "question" }, check.probe.question) : "",
    el("div", { class: "details" }, column.past === undefined ? "…" : "Only the outcome is kept."),
    check.probe ? el("h3", {}, "On the other builds") : "",
    check.probe ? siblings(check, id) : "",
    el("h3", {}, "History"),
    el("div", { class: "past" }, "…"),
  ];
}

function siblings(check, id) {
  const items = columns.filter((column) => column.letter(check) !== ABSENT).map((column) => {
    const other = `${check.id}@${column.key}`;
    const outcome = letters[column.letter(check)];
    const link = el("a", { href: address({ ...state, cell: other }), "aria-current": other === id && "true" },
      glyph(outcome), ` ${column.build} ${column.device}`, el("span", { class: "hidden" }, ` ${outcome}`));
    return el("li", {}, link);
  });
  return el("ul", { class: "siblings" }, ...items);
}

/** The details of a cell of the newest run. */
function known(cell) {
  const source = sources.find((each) => each.id === cell.seen_in);
  const parts = [
    cell.expected && text("Expected", cell.expected),
    cell.reason && text("Reason", cell.reason),
    text("To repeat it", cell.command, true),
    cell.file && text("One file that shows this failure, on the newest build that has it", cell.file),
    cell.repro && text("To hand it on as one file that needs nothing of this project", cell.repro, true),
    cell.first && text("At first, before it was tried again", cell.first),
    cell.signature && text("Signature", cell.signature),
    cell.message && text("Message", cell.message),
    facts({
      ...cell.params,
      ...(cell.record ?? {}),
      "took": `${cell.duration_s ?? 0} s, of it compiling ${cell.compile_s ?? 0} s`,
      "seen in": source ? `${source.id}, harness at ${source.commit.slice(0, 10) || "an unknown commit"}, ${source.host}` : "no run",
    }),
  ];
  return parts.filter(Boolean);
}

function text(title, content, copies = false) {
  const pre = el("pre", { tabindex: "0", dir: "auto" }, content);
  const section = el("section", {}, el("h3", {}, title), pre);
  if (copies && navigator.clipboard) {
    const button = el("button", { type: "button", class: "copy" }, "Copy");
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(content);
      button.textContent = "Copied";
    });
    section.append(button);
  }
  return section;
}

function facts(values) {
  const list = el("dl", { class: "facts" });
  for (const [name, value] of Object.entries(values)) {
    const words = typeof value === "string" ? value : JSON.stringify(value);
    list.append(el("dt", {}, name), el("dd", { dir: "auto" }, words));
  }
  return el("section", {}, el("h3", {}, "Recorded"), list);
}
