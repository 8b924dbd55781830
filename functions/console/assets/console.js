// What no attribute of htmx says. Pages work without it.

// An answer with a problem in it is shown where the answer goes: what was typed stays, and the reason is told.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr } = event.detail;
  if (xhr.status >= 400 && (xhr.getResponseHeader("content-type") || "").startsWith("text/html")) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
});

// A box over a column of boxes ticks them all.
document.addEventListener("change", (event) => {
  const over = event.target.closest("[data-ticks]");
  if (!over) return;
  for (const box of document.querySelectorAll(`input[name="${over.dataset.ticks}"]`)) box.checked = over.checked;
});

// A form that leads to another page is sent once: a second click finds its button resting.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || form.matches("[hx-post], [data-stays]")) return;
  for (const button of form.querySelectorAll("button[type=submit]")) {
    setTimeout(() => { button.disabled = true; });
    addEventListener("pageshow", () => { button.disabled = false; }, { once: true });
  }
});

// A form that htmx sends leaves its page where it is: its button may be used again.
document.addEventListener("htmx:afterRequest", (event) => {
  for (const button of event.target.querySelectorAll("button[type=submit]")) setTimeout(() => { button.disabled = false; });
});

// On a narrow screen each row of a table stands for itself, and each cell says what it is. Roles keep it a table for whoever
// listens to it.
function label() {
  for (const table of document.querySelectorAll("table")) {
    const heads = table.querySelectorAll("thead th");
    table.className = "labelled";
    table.setAttribute("role", "table");
    for (const group of table.querySelectorAll("thead, tbody")) group.setAttribute("role", "rowgroup");
    for (const head of heads) head.setAttribute("role", "columnheader");
    for (const row of table.querySelectorAll("tr:not([role])")) {
      row.setAttribute("role", "row");
      if (row.closest("tbody")) Array.from(row.cells).forEach((cell, column) => {
        cell.setAttribute("role", cell.tagName === "TH" ? "rowheader" : "cell");
        if (cell.colSpan === 1) cell.dataset.label = heads[column]?.textContent ?? "";
      });
    }
  }
}
label();
document.addEventListener("htmx:load", label);
