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
