"""Secret stores: Vault or OpenBao, or an encrypted folder, behind one port; which paths a tenant may name."""
