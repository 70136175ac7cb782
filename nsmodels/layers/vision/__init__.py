"""Layers of networks that read images: backbones of timm, feature pyramids, centres of objects, squares around them."""
