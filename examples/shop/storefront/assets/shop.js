const products = document.getElementById("products");

async function order(name) {
  const answer = await fetch("/api/orders", { method: "POST", body: name });
  alert(await answer.text());
}

function show({ name, price }) {
  const button = Object.assign(document.createElement("button"), { textContent: "Order" });
  button.addEventListener("click", () => order(name));
  const item = Object.assign(document.createElement("li"), { textContent: `${name}: ${price} ` });
  item.append(button);
  products.append(item);
}

fetch("/api/products").then((answer) => answer.json()).then((all) => all.forEach(show));
fetch("/api/banner")
  .then((answer) => answer.text())
  .then((text) => (document.getElementById("banner").textContent = text));
